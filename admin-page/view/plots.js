import { PLOTS } from "../series.js";
import { element, shape } from "./dom.js";
import { figure } from "./format.js";

const [WIDTH, HEIGHT, SAMPLES] = [180, 60, 90];

/** The newest sample is at the right edge; where a value is missing the line is interrupted. */
function lines(values, top) {
  const start = SAMPLES - values.length;
  const parts = [[]];
  values.forEach((value, index) => {
    if (value == null) return parts.push([]);
    const x = ((start + index) / (SAMPLES - 1)) * WIDTH;
    parts.at(-1).push(`${x.toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`);
  });
  return parts.filter((part) => part.length > 0).map((part) => shape("polyline", { points: part.join(" ") }));
}

export function plots(fleet) {
  return PLOTS.map((plot, index) => {
    const { values, last } = fleet.series[index];
    const top = Math.max(1e-9, ...values.filter((value) => value != null));
    const now = `${figure(last)}${last == null ? "" : plot.unit}`;
    return element("figure", { class: "plot" },
      element("figcaption", {}, plot.name, element("b", {}, now)),
      shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
        "aria-label": `${plot.name}: ${now}, at most ${figure(top)}${plot.unit} in the last minutes` },
        shape("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 2, y2: HEIGHT - 2 }), lines(values, top)));
  });
}
