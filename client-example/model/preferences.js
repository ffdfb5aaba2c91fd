const key = "chat.preferences";
const defaults = { notifications: "off", sound: false };

/** What this browser's user wants: `notifications` is `off`, `mentions` or `all`; `sound` goes with them. */
export const preferences = {
  get() {
    try {
      return { ...defaults, ...JSON.parse(localStorage.getItem(key)) };
    } catch {
      return defaults;
    }
  },

  set(fields) {
    localStorage.setItem(key, JSON.stringify({ ...this.get(), ...fields }));
  },
};
