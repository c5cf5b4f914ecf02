// A sign-in ends when nothing is asked for a while. It is said before, with a way to stay, and a page
// whose sign-in is over says that too: nobody waits before a screen that will not move any more.
const SOON_MS = 120_000;
const LOOK_MS = 1_000;

const box = document.querySelector('.stay');
const [soon, over] = box.querySelectorAll('p');
const idle = box.dataset.idle * 1_000;
let asked = Date.now();
let asking = false;

/** GET is staying; HEAD asks what is left: other pages may be in use. @param {string} method */
async function ask(method) {
  if (asking) return;
  asking = true;
  const answer = await fetch('/me', { method, redirect: 'manual' }).catch(() => null);
  asking = false;
  const left = answer?.headers.get('rl-left') * 1_000 || idle;
  if (answer?.ok) asked = Date.now() + left - idle;
  // A proxy without its server (502), or with too much to do (429), knows nothing: ask again.
  show(answer?.type === 'opaqueredirect' || [401, 403].includes(answer?.status));
}

/** @param {boolean} ended */
function show(ended) {
  const left = idle - (Date.now() - asked);
  box.hidden = !ended && left > SOON_MS;
  soon.hidden = ended;
  over.hidden = !ended;
}

function look() {
  if (!over.hidden) return;
  const left = idle - (Date.now() - asked);
  // A wall is in use as long as it hangs there.
  if ('stays' in box.dataset && left < SOON_MS) ask('GET');
  else if (left < 0) ask('HEAD');
  else show(false);
}

box.querySelector('button').addEventListener('click', () => ask('GET'));
setInterval(look, LOOK_MS);
