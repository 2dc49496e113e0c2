// Offline: the last pages and answers received, newest first from the network when there is one.

const STORE = "afflux-1";
const scope = new URL(self.registration.scope);
const FIRST = ["./", "bilan", "sources", "bulletin", "web/page.js", "web/icon.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(STORE).then((store) => store.addAll(FIRST.map((path) => new URL(path, scope)))),
  );
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope.href)) return;
  if (request.headers.has("authorization")) return;
  event.respondWith(newest(request));
});

async function newest(request) {
  const store = await caches.open(STORE);
  try {
    const answer = await fetch(request);
    if (answer.ok) await store.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await store.match(request);
    if (kept) return kept;
    throw error;
  }
}
