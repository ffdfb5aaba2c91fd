/** What both testing clients share: fields, a log, and a word about the connection. */

const mostLines = 500;

export const field = (id) => document.getElementById(id).value.trim();

/** The ids in a field, which commas separate. */
export const ids = (id) => field(id).split(",").map((text) => text.trim()).filter(Boolean);

/** The JSON object in a field; undefined for an empty field. */
export const object = (id) => (field(id) === "" ? undefined : JSON.parse(field(id)));

export function log(name, data) {
  const line = document.createElement("div");
  line.dataset.name = name;
  line.textContent = `${new Date().toISOString().slice(11, 23)}  ${name}  ${JSON.stringify(data)}`;
  const lines = document.getElementById("log");
  lines.prepend(line);
  while (lines.children.length > mostLines) lines.lastElementChild.remove();
}

export function showState(text, isConnected) {
  document.getElementById("state").textContent = text;
  document.getElementById("commands").disabled = !isConnected;
}

/** Does the work of a form or button, and logs its answer or its refusal. */
export function perform(name, work) {
  return async (event) => {
    event.preventDefault();
    try {
      log(name, await work());
    } catch (error) {
      log(`${name} refused`, { code: error.code, message: error.message });
    }
  };
}
