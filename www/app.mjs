// Shows how this page came over the wire, and the head of a response on request.
// No library, no markup from strings: all text goes in as text.

const ROWS_MAX = 20;

const element = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};

const svg = (name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, value);
  }
  return node;
};

const bytes = (count) => {
  if (count < 1000) {
    return `${count} B`;
  }
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(2)} MB`;
};

const milliseconds = (duration) => `${duration.toFixed(1)} ms`;

// "h2", "http/1.1" and so on; browsers leave it empty for what they took from a cache.
const protocol = (entry) => entry.nextHopProtocol.replace(/^http/, "HTTP") || "cache";

const address = (entry) => {
  const url = new URL(entry.name);
  return url.pathname.slice(new URL(".", location).pathname.length) || "./";
};

// One bar on the page's time line: waiting for the first byte, then the bytes.
const bar = (entry, whole) => {
  const box = { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" };
  const picture = svg("svg", box);
  const at = (time) => (100 * Math.max(0, time)) / whole;
  const first = entry.responseStart || entry.startTime;
  const piece = (name, from, to) => {
    const width = Math.max(0.6, at(to) - at(from));
    return svg("rect", { class: name, x: at(from), y: 0, width, height: 6 });
  };
  picture.append(
    svg("rect", { x: 0, y: 2.5, width: 100, height: 1 }),
    piece("wait", entry.startTime, first),
    piece("load", first, entry.responseEnd),
  );
  return picture;
};

const row = (entry, whole) => {
  const number = (text) => element("td", { className: "number", textContent: text });
  const first = entry.responseStart ? milliseconds(entry.responseStart - entry.startTime) : "–";
  return element("tr", {},
    element("th", { scope: "row", textContent: address(entry) }),
    element("td", { textContent: protocol(entry) }),
    number(entry.responseStatus || "–"),
    number(bytes(entry.encodedBodySize)),
    number(first),
    number(milliseconds(entry.responseEnd - entry.startTime)),
    element("td", { className: "span" }, bar(entry, whole)));
};

const showResources = () => {
  const entries = [
    ...performance.getEntriesByType("navigation"),
    ...performance.getEntriesByType("resource").filter((entry) => entry.initiatorType !== "fetch"),
  ].slice(0, ROWS_MAX);
  const whole = Math.max(...entries.map((entry) => entry.responseEnd), 1);
  const size = entries.reduce((sum, entry) => sum + entry.encodedBodySize, 0);
  const rows = entries.map((entry) => row(entry, whole));
  document.getElementById("wire-rows").replaceChildren(...rows);
  document.getElementById("wire-sum").textContent =
    `${entries.length} responses, ${bytes(size)} of content, ` +
    `the last byte ${milliseconds(whole)} after the page was asked for.`;
};

const showHead = async (path) => {
  const answer = document.getElementById("head-answer");
  const started = performance.now();
  try {
    const response = await fetch(path, { method: "HEAD", cache: "no-store" });
    const took = performance.now() - started;
    const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`);
    answer.textContent = [
      `${response.status} ${response.statusText}`.trim(), ...lines, "", `in ${milliseconds(took)}`,
    ].join("\n");
  } catch (error) {
    answer.textContent = `No answer: ${error.message}`;
  }
};

const start = () => {
  document.getElementById("wire").hidden = false;
  showResources();
  const path = document.getElementById("head-path");
  document.getElementById("head-form").addEventListener("submit", (event) => {
    event.preventDefault();
    showHead(path.value);
  });
  path.addEventListener("change", () => showHead(path.value));
  showHead(path.value);
};

if (document.readyState === "complete") {
  start();
} else {
  addEventListener("load", start, { once: true });
}
