// Offline: the last pages received, marked as such; the newest from the network when there is one.

const STORE = "afflux-2";
const scope = new URL(self.registration.scope);
const FIRST = ["./", "bilan", "sources", "bulletin", "web/page.js", "web/icon.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([self.clients.claim(), forget()]));
});

// Pages and what they are made of; data and forms are asked of the server or not at all.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(scope.href)) return;
  const path = url.pathname.slice(scope.pathname.length);
  if (path.startsWith("web/")) event.respondWith(newest(request, url));
  if (request.mode === "navigate" && !/^(v1|docs|health|metrics)\b/.test(path)) {
    event.respondWith(newest(request, url));
  }
});

async function fill() {
  const store = await caches.open(STORE);
  // The page that registered the worker was there before it.
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const here = pages.map((page) => bare(new URL(page.url))).filter((url) => url.startsWith(scope));
  await store.addAll(new Set([...FIRST.map((path) => new URL(path, scope).href), ...here]));
}

async function forget() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("afflux-") && name !== STORE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

// Filters and anchors of an address do not make another page.
function bare(url) {
  return url.origin + url.pathname;
}

async function newest(request, url) {
  const store = await caches.open(STORE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await store.put(bare(url), answer.clone());
    return answer;
  } catch (error) {
    const kept = await store.match(bare(url));
    if (kept) return request.mode === "navigate" ? marked(kept) : kept;
    // Never seen: the weekend has the figures of every zone.
    const home = await store.match(scope.href);
    if (home && request.mode === "navigate") return Response.redirect(scope.href);
    throw error;
  }
}

async function marked(kept) {
  const html = (await kept.text()).replace(/(id="offline"[^>]*) hidden>/, "$1>");
  const headers = new Headers(kept.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(html, { headers });
}
