// Keeps an open page true to the album, moves the slider, and lets the keyboard do everything.
// The page works without it: forms are forms, and original and cloak lie side by side.

const root = document.documentElement;

const said = document.getElementById("said");
let version = Number(root.dataset.version);
let summary = "";
let misses = 0;
let timer = 0;

function say(text) {
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 8000);
}

// ---- the view of one photo

// How the photo is looked at, which stays when the panel comes anew.
const kept = { slider: 50, boxes: true, whole: false };

function dressPanel() {
  const stage = document.querySelector(".stage");
  if (!stage) return;
  const slider = document.getElementById("slider");
  const zoom = document.getElementById("zoom");
  const boxes = document.getElementById("boxes");
  const sheet = stage.querySelector(".sheet");
  const pictures = [...sheet.querySelectorAll("img")];

  // The line stands where the slider does, of what is in sight.
  const cut = slider ? dressSlider(slider, (share) => {
    kept.slider = share;
    const inSight = Math.min(stage.clientWidth, sheet.clientWidth);
    sheet.style.setProperty("--cut", `${stage.scrollLeft + inSight * share / 100}px`);
  }) : () => {};

  function setZoom(whole) {
    kept.whole = whole;
    zoom.setAttribute("aria-pressed", String(whole));
    stage.classList.toggle("whole", whole);
    for (const one of pictures) {
      one.dataset.screen ??= one.getAttribute("src");
      one.src = whole ? one.dataset.whole : one.dataset.screen;
      // One pixel of the photo is one of the screen.
      one.style.width = whole ? `${one.getAttribute("width") / devicePixelRatio}px` : "";
    }
    if (whole) {
      stage.scrollLeft = (stage.scrollWidth - stage.clientWidth) / 2;
      stage.scrollTop = (stage.scrollHeight - stage.clientHeight) / 3;
    }
    cut();
  }

  stage.addEventListener("scroll", cut);
  new ResizeObserver(cut).observe(sheet);
  zoom.addEventListener("click", () => setZoom(zoom.getAttribute("aria-pressed") !== "true"));
  boxes?.addEventListener("change", () => { kept.boxes = boxes.checked; });
  if (slider) slider.value = kept.slider;
  if (boxes) boxes.checked = kept.boxes;
  if (kept.whole) setZoom(true);
  cut();
}

// ---- what has changed since

async function fragment(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(answer.status);
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  return made.content;
}

function moving(holder, [, word, share]) {
  const bar = holder.querySelector("progress");
  if (bar) bar.value = share;
  const text = holder.querySelector(".word");
  if (text && bar) text.textContent = word;
}

async function showTile(number, news) {
  const tile = document.getElementById(`photo-${number}`)?.closest(".tile");
  if (!tile) return;
  if (Number(tile.dataset.version) >= news[0]) return moving(tile, news);
  const address = tile.parentElement.dataset.src.replace(/0$/, number);
  const fresh = (await fragment(address)).firstElementChild;
  const focused = tile.contains(document.activeElement);
  tile.replaceWith(fresh);
  if (focused) fresh.querySelector("a").focus({ preventScroll: true });
}

async function showPanel(news) {
  const panel = document.getElementById("panel");
  if (Number(panel.dataset.version) >= news[0]) return moving(panel, news);
  const active = document.activeElement;
  const typing = panel.contains(active) && active.matches("input[type=text]") && active.value;
  if (typing) return;
  const fresh = await fragment(panel.dataset.src);
  const id = panel.contains(document.activeElement) ? document.activeElement.id : null;
  panel.replaceChildren(fresh);
  panel.dataset.version = news[0];
  dressPanel();
  if (id !== null) (document.getElementById(id) ?? document.getElementById("main")).focus({ preventScroll: true });
}

async function showSummary(news) {
  const holder = document.getElementById("summary");
  const now = JSON.stringify(news);
  if (!holder || now === summary) return;
  summary = now;
  const fresh = await fragment(holder.dataset.src);
  const focused = document.activeElement?.id === "publish";
  holder.replaceChildren(fresh);
  if (focused) document.getElementById("publish")?.focus({ preventScroll: true });
}

async function look() {
  clearTimeout(timer);
  let wait = 1000;
  try {
    const answer = await fetch(`${root.dataset.state}?since=${version}`);
    if (!answer.ok) throw new Error(answer.status);
    const news = await answer.json();
    const panel = document.getElementById("panel");
    for (const [number, one] of Object.entries(news.photos)) {
      await showTile(number, one);
      if (panel?.dataset.number === number) await showPanel(one);
    }
    await showSummary(news.summary);
    const late = panel && news.photos[panel.dataset.number]?.[0] > Number(panel.dataset.version);
    version = late ? version : news.version;  // a panel that is being written in is asked for again
    wait = news.busy ? 1000 : 4000;
    misses = 0;
  } catch {
    misses += 1;
    wait = 2000 * misses;
    if (misses === 3) say("photocloak review has ended. Start it again to go on.");
  }
  clearTimeout(timer);
  timer = setTimeout(look, wait);
}

// ---- saying something

// Returns the page that says why it could not be done; null: it was. Asks where it may be meant.
async function post(address, body) {
  const answer = await fetch(address, { method: "POST", body, redirect: "manual" });
  if (answer.type === "opaqueredirect") return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const sure = page.getElementById("sure");
  const text = page.getElementById("message")?.textContent;
  if (!sure || !confirm(`${text}\n${sure.textContent}?`)) return page;
  body.set("sure", "yes");
  return post(address, body);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.closest("#panel, #summary")) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    const refusal = await post(form.action, body);
    if (refusal) {
      say(refusal.getElementById("message")?.textContent ?? "That could not be done.");
    } else {
      for (const one of form.querySelectorAll("input[type=text]")) one.value = "";
      say("Noted.");
    }
  } catch {
    say("photocloak review has ended. Start it again to go on.");
  }
  look();
});

// ---- the keyboard

function move(tiles, from, key) {
  const here = tiles[from].getBoundingClientRect();
  const columns = tiles.filter((one) => Math.abs(one.getBoundingClientRect().top - here.top) < 5).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
  const to = { Home: 0, End: tiles.length - 1 }[key] ?? from + step;
  return tiles[to];
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const active = document.activeElement;
  const tiles = [...document.querySelectorAll(".tile a")].filter((one) => one.offsetParent);
  const from = tiles.indexOf(active);
  if (from >= 0 && /^(Arrow|Home$|End$)/.test(event.key)) {
    event.preventDefault();
    move(tiles, from, event.key)?.focus();
    return;
  }
  if (active.matches("input, select, textarea") && event.key !== "Escape") return;
  if (active.matches(".stage.whole") && event.key.startsWith("Arrow")) return;
  const link = { Escape: "back", ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  if (link) document.getElementById(link)?.click();
  if (event.key === "z" || event.key === "Z") document.getElementById("zoom")?.click();
});

document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
dressPanel();
look();
