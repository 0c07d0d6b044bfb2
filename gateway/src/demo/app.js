"use strict";

const byId = (id) => document.getElementById(id);

// Connection states

function show(id, state, text) {
  const place = byId(id);
  place.dataset.state = state;
  place.querySelector("span").textContent = text;
}

// The list: filled by REST, kept up to date by the WebSocket. Both may tell of the same item, so
// items are kept by id.

const items = new Map();

function replaceItems(all) {
  items.clear();
  for (const item of all) items.set(item.id, item.name);
  draw();
}

function apply(change) {
  if (change.type === "list") return replaceItems(change.items);
  if (change.type === "added") items.set(change.item.id, change.item.name);
  if (change.type === "removed") items.delete(change.id);
  draw();
}

function draw() {
  const list = byId("items");
  const before = new Map([...list.children].map((row) => [Number(row.dataset.id), row]));
  const rows = [...items.keys()].sort((a, b) => a - b).map((id) => {
    const row = before.get(id) ?? rowFor(id, items.get(id));
    row.classList.toggle("new", !before.has(id) && before.size > 0);
    return row;
  });
  list.replaceChildren(...rows);
  byId("count").textContent = String(rows.length);
  byId("empty").hidden = rows.length > 0;
}

function rowFor(id, name) {
  const row = document.createElement("li");
  row.dataset.id = id;
  const label = document.createElement("span");
  label.textContent = name;
  const got = document.createElement("button");
  got.type = "button";
  got.className = "plain";
  got.textContent = "Got it";
  got.setAttribute("aria-label", `Got it: ${name}`);
  got.addEventListener("click", () => attempt(() => rest("DELETE", `/api/v1/items/${id}`)));
  row.append(label, got);
  return row;
}

// REST

async function rest(method, path, body) {
  const began = performance.now();
  let answer;
  try {
    answer = await fetch(path, { method, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    show("rest", "failed", "no answer");
    throw new Error("The gateway did not answer.");
  }
  const took = `${answer.status} in ${Math.round(performance.now() - began)} ms`;
  const missing = method === "DELETE" && answer.status === 404;
  const good = answer.ok || missing;
  show("rest", good ? "open" : "failed", `${method} ${took}`);
  if (!good) throw new Error(await reason(answer));
  return answer.status === 200 || answer.status === 201 ? answer.json() : undefined;
}

async function reason(answer) {
  if (answer.status === 429) {
    const after = answer.headers.get("retry-after");
    return `Too many requests, says the gateway: try again ${after ? `in ${after} s` : "later"}.`;
  }
  const said = await answer.json().catch(() => ({}));
  return said.error ?? `The answer was ${answer.status} ${answer.statusText}.`;
}

async function attempt(action) {
  const problem = byId("problem");
  problem.hidden = true;
  try {
    return await action();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    return undefined;
  }
}

byId("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("name");
  const item = await attempt(() => rest("POST", "/api/v1/items", { name: field.value }));
  if (!item) return;
  field.value = "";
  apply({ type: "added", item });
});

// WebSocket

const RETRY_MS = { first: 500, most: 10000 };

function follow(wait = RETRY_MS.first) {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/api/v1/ws/list`);
  let messages = 0;
  socket.addEventListener("open", () => show("socket", "open", "connected"));
  socket.addEventListener("message", ({ data }) => {
    messages += 1;
    show("socket", "open", messages === 1 ? "connected, list received" : `${messages} messages`);
    apply(JSON.parse(data));
  });
  socket.addEventListener("close", () => {
    const next = messages > 0 ? RETRY_MS.first : Math.min(wait * 2, RETRY_MS.most);
    show("socket", "failed", "closed, trying again");
    setTimeout(() => follow(next), wait);
  });
}

// Server-sent events

function listen() {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("tick", (event) => {
    const { time_unix_ms: time } = JSON.parse(event.data);
    const clock = new Date(time).toLocaleTimeString();
    show("events", "open", `event ${event.lastEventId} at ${clock}`);
  });
  source.addEventListener("error", () => {
    const over = source.readyState === EventSource.CLOSED;
    show("events", "failed", over ? "closed, trying again" : "interrupted, trying again");
    // The browser itself goes on after an interruption, but not after an error's status.
    if (over) setTimeout(listen, RETRY_MS.most);
  });
}

// Headers

// What scripts and browsers do not send by themselves, so something on the way did.
const setByProxy = (name) => /^(x-|forwarded$|via$|traceparent$|tracestate$|cf-)/.test(name);

async function showHeaders() {
  const seen = await attempt(() => rest("GET", "/api/v1/echo"));
  if (!seen) return;
  const names = Object.keys(seen.headers);
  const ordered = [...names.filter(setByProxy), ...names.filter((name) => !setByProxy(name))];
  byId("headers").tBodies[0].replaceChildren(...ordered.map((name) => {
    const row = document.createElement("tr");
    row.classList.toggle("by-proxy", setByProxy(name));
    const title = document.createElement("th");
    title.scope = "row";
    title.textContent = name;
    const value = document.createElement("td");
    value.textContent = seen.headers[name].join(", ");
    row.append(title, value);
    return row;
  }));
}

byId("echo").addEventListener("click", showHeaders);

follow();
listen();
attempt(() => rest("GET", "/api/v1/items").then(replaceItems)).then(showHeaders);
