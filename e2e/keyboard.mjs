// What people do most, by keyboard alone.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { quit, withBrowser } from './browser.mjs';

after(quit);

const { CONSOLE } = process.env;

/** Presses Tab until the focused element fits, as a person would look for it. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 150; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  assert.fail(`Tab never reaches ${selector}`);
}

const outline = (page) => page.evaluate(
  () => getComputedStyle(document.activeElement).outlineStyle);

async function at(path, options, steps) {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(CONSOLE + path);
    await steps(page);
  }, options);
}

const DESK = { viewport: { width: 1600, height: 1000 } };

test('the first Tab skips to the content, and focus is always seen', async () => {
  await at('/?lang=en', DESK, async (page) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
    assert.equal(await outline(page), 'solid');
    await tabTo(page, 'nav a');
    assert.equal(await outline(page), 'solid');
  });
});

test('the wall is walked with arrows and names each site', async () => {
  await at('/?lang=en', DESK, async (page) => {
    await tabTo(page, 'rl-wall canvas');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.querySelector('.tip').textContent.includes(' · '));
    const first = await page.textContent('.tip');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((old) => document.querySelector('.tip').textContent !== old, first);
    await page.keyboard.press('Enter');
    await page.waitForURL(/site/);
  });
});

test('dark sites are found from the counters', async () => {
  await at('/?lang=en', DESK, async (page) => {
    await tabTo(page, '.counters a[data-t="dark"]');
    const dark = await page.evaluate(() => document.activeElement.textContent);
    await page.keyboard.press('Enter');
    await page.waitForURL(/state=dark/);
    assert.equal(await page.locator('tbody tr').count(), Number(dark));
  });
});

test('sites are filtered, at twice the size too', async () => {
  const twice = { viewport: { width: 800, height: 500 }, deviceScaleFactor: 2 };
  for (const options of [DESK, twice]) {
    await at('/sites?lang=en', options, async (page) => {
      await tabTo(page, 'select[name="state"]');
      await page.keyboard.press('End');
      await tabTo(page, '.filters button');
      await page.keyboard.press('Enter');
      await page.waitForURL(/state=/);
      assert.match(await page.textContent('h1'), /\d+ sites?/);
    });
  }
});

test('nothing moves for those who asked for that, and shapes stay in forced colours', async () => {
  const calm = { ...DESK, reducedMotion: 'reduce', forcedColors: 'active' };
  await at('/?lang=en', calm, async (page) => {
    const moving = await page.evaluate(() => document.getAnimations().length);
    assert.equal(moving, 0);
    assert.ok(await page.locator('.legend svg').first().isVisible());
  });
});

test('on paper there is what a reader needs and nothing to press', async () => {
  await at('/?lang=en', DESK, async (page) => {
    await page.emulateMedia({ media: 'print' });
    for (const gone of ['.top nav', 'rl-live', 'rl-wall', '.skip']) {
      assert.equal(await page.locator(gone).first().isVisible(), false, gone);
    }
    for (const kept of ['h1', '.counters', '.legend', '.sectors', '.stage']) {
      assert.equal(await page.locator(kept).first().isVisible(), true, kept);
    }
    const ink = await page.evaluate(() => getComputedStyle(document.body).color);
    assert.equal(ink, 'rgb(0, 0, 0)');
    // A4 with margins, in pixels.
    await page.setViewportSize({ width: 718, height: 1000 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 718, `${wide} px do not fit a sheet`);
  });
});

test('the demo says on every page that it is one, and a wall in a room has nothing to press', async () => {
  await at('/?screen=wall&lang=en', DESK, async (page) => {
    assert.match(await page.textContent('.stage'), /DEMONSTRATION/);
    assert.match(await page.title(), /^\[DEMONSTRATION\]/);
    const pressed = page.locator('button, summary, input, select').filter({ visible: true });
    assert.equal(await pressed.count(), 0);
    // The stripes stay at the edge while the page scrolls.
    await page.setViewportSize({ width: 400, height: 500 });
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    assert.ok((await page.locator('.stage').boundingBox()).y >= 0);
  });
});
