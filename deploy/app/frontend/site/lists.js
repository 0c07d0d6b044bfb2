// Lists, their items, and what others change meanwhile. Text from the API is only ever put in as text.
"use strict";

const api = "/api/v1/lists";
const element = (id) => document.getElementById(id);
let lists = [], next = null, chosen = null, items = new Map();
let socket = null, retry = null, pause = 1000;

function say(problem) {
  element("problem").textContent = problem;
  element("problem").hidden = problem === "";
  if (problem) element("problem").scrollIntoView({ block: "nearest" });
}

function connected(state, words) {
  element("connection").dataset.state = state;
  element("connection").textContent = words;
}

// One request. A POST has a key, so that sending it again after a lost answer adds nothing twice.
async function ask(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = random();
  const send = () => fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10000) });
  let answer;
  try {
    answer = await send().catch(send);
  } catch {
    throw new Error("The server cannot be reached. What you did was not saved.");
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const where = (said.errors || []).map((error) => error.problem).join("; ");
    if (answer.status === 502 || answer.status === 504) throw new Error("The server is away. What you did was not saved.");
    throw Object.assign(new Error([said.title || `The server said ${answer.status}.`, where].filter(Boolean).join(": ")), { status: answer.status });
  }
  return said;
}

// crypto.randomUUID is only there by HTTPS; without it, development by plain HTTP would not work.
function random() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function attempt(work) {
  try {
    await work();
    say("");
    return true;
  } catch (error) {
    say(error.message);
    return false;
  }
}

function drawLists() {
  element("lists").replaceChildren(...lists.map((list) => {
    const link = document.createElement("a");
    link.href = `#${list.id}`;
    link.textContent = list.name;
    if (chosen && list.id === chosen.id) link.setAttribute("aria-current", "page");
    const entry = document.createElement("li");
    entry.append(link);
    return entry;
  }));
  element("more").hidden = next === null;
}

function drawItems() {
  element("chosen").hidden = chosen === null;
  if (chosen === null) return;
  element("chosen-title").textContent = chosen.name;
  const focused = document.activeElement && document.activeElement.dataset.key;
  const sorted = [...items.values()].sort((a, b) => a.id - b.id);
  element("items").replaceChildren(...sorted.map(drawItem));
  const left = sorted.filter((item) => !item.done).length;
  element("count").textContent = sorted.length === 0 ? "Nothing on it yet." : `${left} of ${sorted.length} to get`;
  // Redrawing must not take the keyboard's place away from whoever is ticking.
  if (focused) document.querySelector(`[data-key="${focused}"]`)?.focus();
}

function drawItem(item) {
  const entry = document.createElement("li");
  const label = document.createElement("label");
  const box = document.createElement("input");
  const name = document.createElement("span");
  const remove = document.createElement("button");
  box.type = "checkbox";
  box.checked = item.done;
  box.dataset.key = `tick-${item.id}`;
  box.addEventListener("change", async () => {
    const list = chosen;
    const done = await attempt(async () => changed(list.id, await ask("PATCH", `${api}/${list.id}/items/${item.id}`, { done: box.checked })));
    if (!done) box.checked = item.done;
  });
  name.textContent = item.name;
  remove.type = "button";
  remove.className = "quiet";
  remove.dataset.key = `remove-${item.id}`;
  remove.textContent = "Remove";
  remove.setAttribute("aria-label", `Remove ${item.name}`);
  remove.addEventListener("click", () => attempt(async () => {
    await ask("DELETE", `${api}/${chosen.id}/items/${item.id}`);
    items.delete(item.id);
    drawItems();
  }));
  label.append(box, name);
  entry.append(label, remove);
  return entry;
}

// The answer of a request and the WebSocket tell of the same change; whichever comes first.
function changed(list, item) {
  if (!chosen || chosen.id !== list) return;
  items.set(item.id, item);
  drawItems();
}

async function load(id) {
  const list = await ask("GET", `${api}/${id}`);
  if (Number(location.hash.slice(1)) !== id) return;
  chosen = list;
  items = new Map(list.items.map((item) => [item.id, item]));
  drawLists();
  drawItems();
}

async function loadLists(before) {
  const page = await ask("GET", before ? `${api}?before=${before}` : api);
  lists = before ? [...lists, ...page.lists] : page.lists;
  next = page.next;
  drawLists();
}

function leave() {
  chosen = null;
  items = new Map();
  drawLists();
  drawItems();
}

function watch(id) {
  clearTimeout(retry);
  if (socket) {
    socket.onclose = null;
    socket.close();
  }
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/api/v1/ws/lists/${id}`);
  socket.onopen = () => {
    pause = 1000;
    connected("live", "Live");
    // What happened before the WebSocket was open, or while it was not.
    load(id).then(() => say(""), () => {});
  };
  socket.onmessage = (event) => {
    const told = JSON.parse(event.data);
    if (!chosen || told.list !== chosen.id) return;
    if (told.type === "item_added" || told.type === "item_changed") changed(told.list, told.item);
    else if (told.type === "item_deleted") { items.delete(told.item.id); drawItems(); }
    else if (told.type === "resync") load(id).catch(() => {});
    else if (told.type === "list_deleted") {
      lists = lists.filter((list) => list.id !== told.list);
      location.hash = "";
      say("Somebody has deleted this list.");
    }
  };
  socket.onclose = () => {
    connected("offline", "Offline, trying again");
    // Not all browsers at one moment after a restart.
    retry = setTimeout(() => watch(id), pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, 15000);
  };
}

async function choose() {
  const id = Number(location.hash.slice(1));
  if (!Number.isSafeInteger(id) || id < 1) {
    clearTimeout(retry);
    if (socket) { socket.onclose = null; socket.close(); socket = null; }
    connected("live", "Ready");
    return leave();
  }
  connected("offline", "Connecting");
  try {
    await load(id);
    say("");
  } catch (error) {
    leave();
    say(error.message);
    if (error.status === 404) return connected("live", "Ready");
  }
  watch(id);
}

function submits(form, work) {
  element(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = event.target.elements.name, button = event.target.querySelector("button");
    button.disabled = true;
    if (await attempt(() => work(input.value))) input.value = "";
    button.disabled = false;
    input.focus();
  });
}

submits("new-list", async (name) => {
  const list = await ask("POST", api, { name });
  lists = [list, ...lists];
  location.hash = list.id;
});
submits("new-item", async (name) => {
  const list = chosen.id;
  changed(list, await ask("POST", `${api}/${list}/items`, { name }));
});
element("more").addEventListener("click", () => attempt(() => loadLists(next)));
element("delete-list").addEventListener("click", () => attempt(async () => {
  if (!confirm(`Delete the list ${chosen.name} with all that is on it?`)) return;
  const id = chosen.id;
  await ask("DELETE", `${api}/${id}`);
  lists = lists.filter((list) => list.id !== id);
  location.hash = "";
}));
addEventListener("hashchange", choose);
addEventListener("online", () => { pause = 1000; choose(); });
addEventListener("offline", () => connected("offline", "Offline"));

(async function begin() {
  // The backend may come up after this page.
  while (!await attempt(() => loadLists())) {
    connected("offline", "Offline, trying again");
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  choose();
})();
