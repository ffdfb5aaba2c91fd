// Run once by the MongoDB image, as root, before the database is reachable: the service's user, with the rights that it needs and no others.
db.getSiblingDB("chat").createUser({
  user: "chat",
  pwd: process.env.MONGODB_PASSWORD,
  roles: [{ role: "readWrite", db: "chat" }],
});
