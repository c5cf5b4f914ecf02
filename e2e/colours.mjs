// Whether the lights of two states stay apart for people who see colours otherwise: the browser shows
// them as they see them, and the pixels of each state are compared with those of each other one.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { quit, withBrowser } from './browser.mjs';

after(quit);

const { CONSOLE } = process.env;

/** As the browser names them; the last one sees no colour at all. */
const VISIONS = ['none', 'protanopia', 'deuteranopia', 'tritanopia', 'achromatopsia'];

const STATES = [...'oqefvxand'];

/** Of the pixels of a cell, the share that must differ between two states: a stroke of a shape. */
const APART_MIN = 0.1;

/** Colours that are further from each other than this are told apart, of 441 at most. */
const STEP = 60;

/** Pixels of a picture, line by line: red, green and blue of each. */
const pixels = (page, png) => page.evaluate(async (bytes) => {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(bytes)]));
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  return { width: picture.width, height: picture.height, data: [...data] };
}, [...png]);

/** The share of pixels that differ between two boxes of one picture. */
function apart(picture, side, [one, other]) {
  let differ = 0;
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const at = (box) => 4 * ((box[1] + y) * picture.width + box[0] + x);
      const [a, b] = [at(one), at(other)];
      const far = Math.hypot(...[0, 1, 2].map((part) => picture.data[a + part] - picture.data[b + part]));
      differ += far > STEP ? 1 : 0;
    }
  }
  return differ / (side * side);
}

/** Pairs of states that are not told apart, with how much of them differs. */
function alike(picture, side, boxes) {
  const names = [...boxes.keys()];
  return names.flatMap((one, at) => names.slice(at + 1).map((other) => [one, other]))
    .map(([one, other]) => [one, other, apart(picture, side, [boxes.get(one), boxes.get(other)])])
    .filter(([, , share]) => share < APART_MIN)
    .map(([one, other, share]) => `${one}${other} ${share.toFixed(2)}`);
}

/** Has the browser show everything as somebody sees it, and does it. */
async function seen(page, use) {
  const client = await page.context().newCDPSession(page);
  for (const type of VISIONS) {
    await client.send('Emulation.setEmulatedVisionDeficiency', { type });
    await use(type);
  }
}

/** The wall with cells as small as those of 4,000 sites, and one site in each state; where they are. */
const smallWall = (page) => page.evaluate(async (states) => {
  const wall = document.querySelector('rl-wall');
  Object.assign(wall.style, { flex: 'none', width: '300px', height: '260px', minHeight: '0' });
  const frame = () => new Promise(requestAnimationFrame);
  for (let frames = 0; frames < 100 && !(wall.grid?.pitch <= 10); frames += 1) await frame();
  const widest = wall.blocks.reduce((a, b) => (a.count > b.count ? a : b));
  wall.change(states.map((letter, at) => [widest.from + at, letter]));
  // And two lights that differ in hue alone, in the cells behind: red, and a green as bright.
  const hues = ['#e00000', '#006e00'].map((colour, at) => {
    const { x, y } = wall.corner(widest.from + states.length + at), side = wall.grid.pitch;
    wall.context.fillStyle = wall.ink.block;
    wall.context.fillRect(x, y, side, side);
    wall.context.fillStyle = colour;
    wall.context.fillRect(x + 2, y + 2, side - 4, side - 4);
    return [x, y];
  });
  await frame();
  const places = states.map((_, at) => wall.corner(widest.from + at));
  const { x: left, y: top } = wall.getBoundingClientRect();
  const inPage = ([x, y]) => [left + x, top + y];
  const cells = places.map(({ x, y }) => inPage([x, y]));
  return { pitch: wall.grid.pitch, cells, hues: hues.map(inPage) };
}, STATES);

/** The pixels of a part of the page that holds all of these boxes of a side, and where they are in it. */
async function shown(page, boxes, side) {
  const edge = (part, of) => of(...boxes.map((box) => box[part]));
  const [x, y] = [edge(0, Math.min), edge(1, Math.min)].map(Math.floor);
  const [width, height] = [edge(0, Math.max) - x + side + 1, edge(1, Math.max) - y + side + 1];
  const clip = { x, y, width: Math.ceil(width), height: Math.ceil(height) };
  const picture = await pixels(page, await page.screenshot({ clip }));
  return [picture, boxes.map((box) => [Math.round(box[0] - x), Math.round(box[1] - y)])];
}

/** The states by the boxes in which they are drawn. */
const named = (letters, boxes) => new Map(letters.map((letter, at) => [letter, boxes[at]]));

const SCREEN = { viewport: { width: 1600, height: 1400 }, reducedMotion: 'reduce' };

test('each state is told apart on a wall of small cells, however colours are seen', async () => {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(`${CONSOLE}/?lang=en`);
    // Nothing changes the cells meanwhile.
    await page.evaluate(() => {
      const live = document.querySelector('rl-live');
      live.stream?.close();
      live.watch = () => {};
    });
    const { pitch, cells, hues } = await smallWall(page);
    assert.ok(pitch >= 6 && pitch <= 10, `cells of ${pitch} px`);
    const side = Math.round(pitch);
    await seen(page, async (vision) => {
      const [picture, boxes] = await shown(page, [...cells, ...hues], side);
      assert.deepEqual(alike(picture, side, named(STATES, boxes)), [], vision);
      // What differs in hue alone is found by this test where that hue is not seen.
      const hue = apart(picture, side, boxes.slice(STATES.length));
      const sees = { none: true, tritanopia: true, protanopia: false, achromatopsia: false }[vision];
      assert.equal(hue >= APART_MIN, sees ?? hue >= APART_MIN, `${vision}: ${hue}`);
    });
  }, SCREEN);
});

test('the wall is painted again when the contrast of the system changes', async () => {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(`${CONSOLE}/?lang=en`);
    const ink = () => page.evaluate(() => document.querySelector('rl-wall').ink?.dark);
    await page.waitForFunction(() => document.querySelector('rl-wall').ink);
    const before = await ink();
    await page.emulateMedia({ contrast: 'more' });
    await page.waitForFunction((old) => document.querySelector('rl-wall').ink.dark !== old, before);
    await page.emulateMedia({ contrast: 'no-preference' });
    await page.waitForFunction((old) => document.querySelector('rl-wall').ink.dark === old, before);
  }, SCREEN);
});

test('each state is told apart in the legend, and each step of the map from the next', async () => {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(`${CONSOLE}/?lang=en`);
    const legend = await page.locator('.legend a').evaluateAll((links) => links.map((link) => {
      const { x, y } = link.querySelector('svg').getBoundingClientRect();
      return [link.querySelector('use').getAttribute('href').at(-1), [x, y]];
    }));
    const letters = legend.map(([letter]) => letter);
    assert.deepEqual(letters.toSorted(), STATES.toSorted());
    await seen(page, async (vision) => {
      const [picture, boxes] = await shown(page, legend.map(([, box]) => box), 18);
      assert.deepEqual(alike(picture, 18, named(letters, boxes)), [], vision);
    });
    await page.goto(`${CONSOLE}/watch?lang=en`);
    // The key below the map has all steps, side by side.
    const key = await page.evaluate(() => [0, 1, 2, 3, 4, 5].map((step) => {
      const { x, y } = [...document.querySelectorAll(`.heat .h-${step}`)].at(-1).getBoundingClientRect();
      return [x + 4, y + 4];
    }));
    await seen(page, async (vision) => {
      const [picture, boxes] = await shown(page, key, 1);
      const lights = boxes.map(([x, y]) => {
        const [red, green, blue] = picture.data.slice(4 * (y * picture.width + x));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      });
      const steps = lights.slice(1).map((light, at) => light - lights[at]);
      assert.ok(steps.every((step) => step > 15), `${vision}: ${lights.map(Math.round)}`);
    });
  }, SCREEN);
});
