// What people do most, by keyboard alone.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { DESK, TWICE, quit, tabTo, violations, withBrowser } from './browser.mjs';

after(quit);

const { CONSOLE } = process.env;

const outline = (page) => page.evaluate(
  () => getComputedStyle(document.activeElement).outlineStyle);

async function at(path, options, steps) {
  await withBrowser(async (context) => {
    const page = await context.newPage();
    await page.goto(CONSOLE + path);
    await steps(page);
  }, options);
}

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
    // A screen reader keeps the arrows for itself everywhere else, and tells what it is told here.
    const wall = page.getByRole('application', { description: /^Arrows: .*Enter: open the site/ });
    assert.ok(await wall.evaluate((canvas) => canvas === document.activeElement));
    assert.equal(await wall.getAttribute('aria-roledescription'), 'wall of lights');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction(() => document.querySelector('.tip').textContent.includes(' · '));
    const first = await page.textContent('.tip');
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((old) => document.querySelector('.tip').textContent !== old, first);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/site\/[^/?]+/);
    const [, slug] = /\/site\/([^/?]+)/.exec(page.url());
    assert.ok((await page.innerText('main')).includes(slug), 'its page is there');
  });
});

/** Where the lights of each sector stand, and whether that is inside the sector. */
const stand = (page) => page.evaluate(() => {
  const wall = document.querySelector('rl-wall');
  return wall.blocks.map(({ from, count }, block) => {
    const place = wall.grid.places[block];
    const sites = Array.from({ length: count }, (_, at) => wall.of[from + at]);
    const isInside = sites.every((site) => {
      const { x, y } = wall.corner(site);
      return site >= from && site < from + count && x >= place.x && y >= place.y
        && x < place.x + place.w && y < place.y + place.h;
    });
    return { isInside, letters: sites.map((site) => wall.letters[site]).join('') };
  });
});

test('the lights stand at their places, or by their states, in their sectors', async () => {
  await at('/?lang=en', DESK, async (page) => {
    await page.waitForFunction(() => document.querySelector('rl-wall').grid);
    const places = await stand(page);
    assert.ok(places.length > 1 && places.every(({ isInside }) => isInside));
    await page.click('.ways a[href*="order=state"]');
    await page.waitForFunction(() => document.querySelector('rl-wall').grid);
    const states = await stand(page);
    assert.ok(states.every(({ isInside }) => isInside));
    const sorted = (text) => [...text].sort().join('');
    states.forEach(({ letters }, block) => {
      assert.equal(sorted(letters), sorted(places[block].letters));
      assert.equal(letters, [...'eqaxvndfo'].map((it) => it.repeat(letters.split(it).length - 1)).join(''));
    });
    // What changes finds its place, but not under somebody's cursor.
    const change = () => page.evaluate(() => {
      const wall = document.querySelector('rl-wall');
      const { from, count } = wall.blocks.find((block) => block.count > 2);
      const site = wall.of[from + count - 1];
      wall.change([[site, 'e']]);
      return [site, from + count - 1];
    });
    const moved = (place) => page.waitForFunction(
      ([site, at]) => document.querySelector('rl-wall').at[site] < at, place);
    await moved(await change());
    await page.focus('rl-wall canvas');
    await page.keyboard.press('ArrowRight');
    const [site, last] = await change();
    await page.waitForTimeout(3000);
    assert.equal(await page.evaluate((it) => document.querySelector('rl-wall').at[it], site), last);
    await page.keyboard.press('Tab');
    await moved([site, last]);
    await page.click('.ways a >> nth=0');
    await page.waitForURL((url) => !url.searchParams.has('order'));
  });
});

test('a page of lists says that it is old, and leads to what is new', async () => {
  await at('/sites?lang=fr&state=o', { viewport: { width: 320, height: 800 } }, async (page) => {
    await page.waitForSelector('rl-live[data-mode="on"]');
    // As if somebody had read it before the last change.
    await page.evaluate(() => { document.querySelector('rl-live').dataset.shown = 'before'; });
    await page.waitForSelector('rl-live[data-mode="old"]');
    assert.match(await page.textContent('rl-live'), /^Changé \(appris à \d+\u00a0h\u00a0\d\d UTC\) Voir du nouveau$/);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.deepEqual(await violations(page), []);
    assert.match(await page.evaluate(() => document.querySelector('[role="status"]').textContent), /^Changé \(appris à/);
    await page.click('rl-live a');
    await page.waitForSelector('rl-live[data-mode="on"]');
    assert.match(page.url(), /state=o/);
  });
});

test('a page that was hidden for an hour is not called frozen before its stream can have begun', async () => {
  await at('/?lang=en', DESK, async (page) => {
    await page.waitForSelector('rl-live[data-mode="on"]');
    // The server says nothing from here on.
    await page.route('**/events?*', () => {});
    const mode = await page.evaluate(() => {
      const live = document.querySelector('rl-live');
      live.heard = Date.now() - 3_600_000;
      document.dispatchEvent(new Event('visibilitychange'));
      live.watch();
      return live.dataset.mode;
    });
    assert.equal(mode, 'on');
    await page.waitForSelector('rl-live[data-mode="frozen"]');
  });
});

test('a page that is one too many of its account says so, and asks seldom', async () => {
  await at('/look?lang=fr', DESK, async (page) => {
    let asked = 0;
    await page.route('**/events?*', (route) => {
      asked += 1;
      return route.fulfill({ status: 429 });
    });
    await page.addInitScript(() => { Math.random = () => 0.02; });
    await page.goto(`${CONSOLE}/?lang=fr`);
    await page.waitForSelector('rl-live[data-mode="full"]');
    assert.match(await page.textContent('rl-live'),
      /^Pas en direct depuis \d+\u00a0h\u00a0\d\d UTC\u00a0: trop de pages ouvertes$/);
    assert.match(await page.textContent('main .frozen-note'), /autant de pages en direct/);
    assert.ok(await page.isVisible('main .frozen-note'));
    assert.equal(await page.locator('body.frozen').count(), 1, 'it is no calm wall');
    assert.deepEqual(await violations(page), []);
    const before = asked;
    // Where nobody is there, one would be asked for in each of these seconds.
    await page.waitForTimeout(3000);
    assert.equal(asked, before);
    await page.unroute('**/events?*');
    await page.evaluate(() => { Math.random = () => 0; });
    await page.waitForSelector('rl-live[data-mode="on"]');
    assert.ok(await page.isHidden('main .frozen-note'));
  });
});

test('on a telephone the pages are listed below one button, with scripts and without', async () => {
  const telephone = { viewport: { width: 320, height: 800 } };
  await at('/sites?lang=en', telephone, async (page) => {
    const link = 'nav a[href^="/affected"]';
    assert.ok(await page.isHidden(link));
    await tabTo(page, '.menu');
    await page.keyboard.press('Enter');
    await tabTo(page, link);
    assert.ok(await page.isVisible(link));
    assert.equal(await outline(page), 'solid');
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    assert.ok(await page.isHidden(link));
    assert.equal(await page.evaluate(() => document.activeElement.className), 'menu');
  });
  await at('/sites?lang=en', { ...telephone, javaScriptEnabled: false }, async (page) => {
    await page.click('.menu');
    await page.click('nav a[href^="/affected"]');
    await page.waitForURL(/affected/);
  });
  await at('/sites?lang=en', DESK, async (page) => {
    assert.ok(await page.isHidden('.menu') && await page.isVisible('nav a[href^="/affected"]'));
  });
});

test('what an incident needs is seen at a desk without scrolling, nine sites to do first with it', async () => {
  await at('/?lang=fr', DESK, async (page) => {
    await page.waitForSelector('rl-live[data-mode="on"]');
    const seen = await page.evaluate(() => {
      const live = document.querySelector('rl-live');
      live.follow = () => {};
      live.stream.close();
      const cells = ['Services à la famille', 'Éteint, en attente', 'Essentiel',
        'app.war!/WEB-INF/lib/log4j-core-2.14.1.jar', 'Java · Spring Boot', 'province', '7 min',
        'refaire l’inventaire'];
      const todo = Array.from({ length: 9 }, (_, at) =>
        ({ slug: `fam-${at}`, href: '/sites', letter: 'd', vital: at < 3, cells }));
      const queue = ['a', 'b', 'c', 'd'].map((name) => [name, '7', 'automatique', true, '/sites']);
      live.queue({ queue, todo });
      const place = document.querySelector('.todo .wide').getBoundingClientRect();
      const rows = [...document.querySelectorAll('.todo tbody tr')];
      const inside = rows.map((row) => row.getBoundingClientRect()).filter((row) =>
        row.height > 0 && row.top >= place.top && row.bottom <= Math.min(place.bottom, innerHeight) + 1);
      const wall = document.querySelector('rl-wall').getBoundingClientRect();
      const { scrollHeight } = document.documentElement;
      return { scrollHeight, rows: inside.length, wall: wall.bottom < place.top && wall.height > 300 };
    });
    assert.deepEqual({ ...seen, scrollHeight: seen.scrollHeight <= 1000 },
      { scrollHeight: true, rows: 9, wall: true }, JSON.stringify(seen));
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

test('affected sites are found by their flaw, at twice the size too', async () => {
  for (const options of [DESK, TWICE]) {
    await at('/sites?lang=en', options, async (page) => {
      await tabTo(page, 'nav a[href^="/affected"]');
      await page.keyboard.press('Enter');
      await page.waitForURL(/affected/);
      await tabTo(page, 'input[name="q"]');
      await page.keyboard.type('CVE-2021-44228');
      await page.keyboard.press('Enter');
      await page.waitForURL(/q=CVE-2021-44228/);
      assert.match(await page.textContent('.answer'), /\d+ of \d+ sites affected/);
      assert.match(await page.textContent('main'), /log4j-core/);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
      await tabTo(page, 'main a[href^="/site/"]');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/site\//);
    });
  }
});

test('sites are filtered, at twice the size too', async () => {
  for (const options of [DESK, TWICE]) {
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

test('the table follows while somebody types, and says how many there are', async () => {
  await at('/sites?lang=en', DESK, async (page) => {
    await page.evaluate(() => { window.stays = true; });
    const [all, name] = await page.evaluate(() => [document.querySelector('h1 span').textContent,
      document.querySelector('tbody td:nth-child(3)').textContent]);
    await tabTo(page, 'input[name="q"]');
    await page.keyboard.type(name);
    await page.waitForFunction((old) => document.querySelector('h1 span').textContent !== old, all);
    await page.waitForFunction((words) => new URL(location).searchParams.get('q') === words, name);
    const names = await page.locator('tbody td:nth-child(3)').allTextContents();
    assert.ok(names.length > 0 && names.every((one) => one.includes(name)), names.join());
    const said = page.locator('rl-table [role="status"]');
    await page.waitForFunction(() => document.querySelector('rl-table [role="status"]').textContent);
    assert.equal(await said.textContent(), await page.textContent('h1 span'));
    // Each row leads where the server's own row leads, and so does the other language.
    const rows = () => page.locator('tbody').evaluate((body) => [...body.rows].map((row) =>
      [row.id, row.textContent, row.querySelector('a')?.getAttribute('href'),
        row.querySelector('use').getAttribute('href')].join()));
    const typed = await rows();
    const other = await page.getAttribute('.top [hreflang]', 'href');
    assert.ok(await page.evaluate(() => window.stays));
    await page.reload();
    assert.deepEqual(await rows(), typed);
    assert.equal(await page.getAttribute('.top [hreflang]', 'href'), other);
    // Nothing fits, and all of them are there again.
    await tabTo(page, 'input[name="q"]');
    await page.keyboard.type('zzzz');
    await page.locator('.none').waitFor();
    assert.equal(await page.locator('table').isVisible(), false);
    // What is meant as a query and is none says why; what is one is followed as it is typed.
    const type = async (text) => {
      await page.keyboard.press('Control+A');
      await page.keyboard.type(text);
    };
    await type('orgg:x');
    await page.waitForFunction(() => document.querySelector('.none').textContent.includes('orgg'));
    await type('crit<=4 not sector:health');
    await page.waitForFunction(() => document.querySelector('tbody tr') !== null
      && !document.querySelector('tbody').textContent.includes('Health'));
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Delete');
    await page.waitForFunction((old) => document.querySelector('h1 span').textContent === old, all);
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 100);
    assert.deepEqual(await violations(page), []);
  });
});

test('a filter that nobody answers in place is asked for as a page', async () => {
  await at('/sites?lang=en', DESK, async (page) => {
    await page.route('**/sites/rows?*', (route) => route.fulfill({ status: 401 }));
    await page.fill('input[name="q"]', 'a');
    await page.waitForURL(/sites\?.*q=a/);
    assert.match(await page.textContent('h1'), /\d+ sites?/);
  });
  await at('/sites?lang=en', { ...DESK, javaScriptEnabled: false }, async (page) => {
    await page.fill('input[name="q"]', 'a');
    await page.press('input[name="q"]', 'Enter');
    await page.waitForURL(/q=a/);
    assert.match(await page.textContent('h1'), /\d+ sites?/);
  });
});

test('light, dark and contrast are chosen without scripts, and kept', async () => {
  const options = { ...DESK, javaScriptEnabled: false, colorScheme: 'light' };
  await at('/sites?lang=en&q=a', options, async (page) => {
    // What is painted, as scripts are off.
    const ground = async () => {
      const picture = await page.screenshot({ clip: { x: 14, y: 300, width: 1, height: 1 } });
      return picture.toString('base64');
    };
    const light = await ground();
    await tabTo(page, '.top a[href^="/look"]');
    await page.keyboard.press('Enter');
    await page.waitForURL(/look/);
    await page.focus('input[name="light"]:checked');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.focus('input[name="contrast"]:checked');
    await page.keyboard.press('ArrowDown');
    await page.focus('main button');
    await page.keyboard.press('Enter');
    await page.waitForURL(/sites\?lang=en&q=a/);
    const dark = await ground();
    assert.notEqual(dark, light);
    await page.goto(`${CONSOLE}/posture?lang=fr`);
    assert.equal(await ground(), dark, 'on every page');
    const sheets = await page.locator('link[rel="stylesheet"]').evaluateAll(
      (links) => links.map((link) => link.media));
    assert.deepEqual(sheets, ['', 'screen', 'all']);
    await page.goto(`${CONSOLE}/look?lang=en`);
    assert.equal(await page.inputValue('input[name="light"]:checked'), 'dark');
    await page.check('input[name="light"][value="system"]');
    await page.check('input[name="contrast"][value="system"]');
    await page.click('main button');
    await page.goto(`${CONSOLE}/sites?lang=en&q=a`);
    assert.equal(await ground(), light);
    const kept = (await page.context().cookies()).map((cookie) => cookie.name);
    assert.deepEqual(kept.filter((name) => name.includes('look')), []);
  });
});

test('nothing moves for those who asked for that, and shapes stay in forced colours', async () => {
  // A line of the log is what moves when it comes; the demo is over, so one is put there.
  const moving = (page) => page.evaluate(() => {
    const line = document.createElement('li');
    line.className = 'new';
    document.querySelector('.log').prepend(line);
    return document.getAnimations().filter(({ effect }) => effect.target === line).length;
  });
  await at('/?lang=en', { ...DESK, reducedMotion: 'no-preference' }, async (page) => {
    assert.equal(await moving(page), 1, 'it moves for everybody else');
  });
  const calm = { ...DESK, reducedMotion: 'reduce', forcedColors: 'active' };
  await at('/?lang=en', calm, async (page) => {
    assert.equal(await moving(page), 0);
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
