/** The statuses that a user can choose, and their names. */
export const statuses = { online: "Online", away: "Away", busy: "Busy", invisible: "Invisible" };

/** A status in a word; a user in none of them is offline. */
export const statusName = (status) => statuses[status] ?? "Offline";
