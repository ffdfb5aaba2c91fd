/** The emoji of the picker, by group: each with the words it is found by. */
export const emojiGroups = [
  ["Often used", "👍 yes thumbs up|❤️ heart love|😂 laughing tears joy|🎉 party hooray|😮 wow surprised|😢 sad tear|🙏 thanks please|👀 eyes looking|✅ done check|🔥 fire great|💯 hundred|👏 clapping bravo"],
  ["Faces", "😀 grinning|😄 smiling happy|😁 beaming|😅 sweat relief|🤣 rolling laughing|🙂 slight smile|😉 wink|😊 blush|🥰 in love hearts|😍 heart eyes|😘 kiss|😋 tasty|😜 cheeky tongue|🤗 hug|🤔 thinking|🤨 doubt eyebrow|😐 neutral|🙄 eye roll|😏 smirk|😬 grimace|😌 relieved|😴 sleeping|🤒 ill|🤯 mind blown|🥳 celebrating|😎 cool sunglasses|🤓 nerd|😕 confused|😟 worried|🙁 frown|😳 flushed|🥺 pleading|😨 afraid|😭 crying|😱 scream|😩 weary|😤 huffing|😠 angry|🤬 swearing|💀 skull|🤡 clown|👻 ghost|🤖 robot"],
  ["Hands and people", "👋 wave hello bye|🤚 raised hand|✋ stop|👌 ok|🤏 tiny|✌️ peace victory|🤞 fingers crossed|🤘 rock|👈 left|👉 right|👆 up|👇 down|☝️ one point|👎 no thumbs down|✊ fist|👊 punch|🙌 praise hands|🫶 heart hands|🤝 deal handshake|💪 strong|🧠 brain|🙋 me question|🤷 shrug|🤦 facepalm|🧑‍💻 coding computer|🏃 running|💃 dancing"],
  ["Nature and food", "🐶 dog|🐱 cat|🦊 fox|🐼 panda|🐸 frog|🐝 bee|🐛 bug|🦄 unicorn|🌱 plant seedling|🌳 tree|🌸 blossom|🌻 sunflower|🍀 luck clover|☀️ sun|🌧️ rain|❄️ snow|🌈 rainbow|🌍 earth|🍎 apple|🍌 banana|🍓 strawberry|🥑 avocado|🍕 pizza|🍔 burger|🍟 fries|🍪 cookie|🎂 cake birthday|☕ coffee|🍵 tea|🍺 beer|🥂 cheers"],
  ["Things", "⚽ football|🏆 trophy winner|🎯 target|🎸 guitar|🎵 music|🎬 film|🎮 game|🚗 car|🚲 bicycle|✈️ plane|🚀 rocket launch|⏰ alarm clock|📅 calendar|📌 pin|📎 paperclip|✏️ pencil|📝 note memo|📚 books|💡 idea light|🔍 search|🔒 locked|🔑 key|🔧 wrench tool|🧪 test tube|💻 laptop|📱 phone|📷 camera|💰 money|🎁 gift|📦 package|🗑️ bin"],
  ["Signs", "✨ sparkles|⭐ star|💥 boom|💤 sleep|💬 speech|❗ exclamation|❓ question|⚠️ warning|🚫 forbidden|❌ cross wrong|➕ plus|➖ minus|♻️ recycle|🟢 green circle|🟡 yellow circle|🔴 red circle|💚 green heart|💙 blue heart|💜 purple heart|🖤 black heart|💔 broken heart|🏁 finish flag|🚩 red flag|🏳️‍🌈 pride flag"],
].map(([name, list]) => ({ name, emoji: list.split("|").map(parse) }));

/** What stands ready beside a message. */
export const quickEmoji = ["👍", "❤️", "😂"];

function parse(text) {
  const space = text.indexOf(" ");
  return { emoji: text.slice(0, space), words: text.slice(space + 1) };
}
