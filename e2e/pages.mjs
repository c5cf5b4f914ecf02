// Every page, in two languages, two themes and two widths: rules of accessibility, width, policy,
// and an empty console. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { join } from 'node:path';
import {
  CONTRAST, listen, overflow, quit, sideways, unsafe, violations, withBrowser,
} from './browser.mjs';

after(quit);

const { CONSOLE, PUBLIC, SHOTS } = process.env;

/** The first match in a page of what follows one text and ends with a quote. */
async function link(address, start) {
  const html = await (await fetch(address)).text();
  return new RegExp(`"(${start}[^"?]+)`).exec(html)[1];
}

/** The first body of the posture page, as it stands in an address. */
async function body() {
  return /org=([^"&]+)/.exec(await (await fetch(`${CONSOLE}/posture`)).text())[1];
}

/** A site that the flaw is in, by its short name. */
async function affected() {
  const path = await link(`${CONSOLE}/affected?q=CVE-2021-44228`, '/site/');
  return path.split('/').at(-1);
}

/** Addresses of the console, without language. */
const CONSOLE_PAGES = ['/', '/?screen=wall', '/sites', '/sites?queue=incomplete', '/affected',
  '/affected?q=CVE-2021-44228', '/affected?q=CVE-1900-1',
  '/affected?q=CVE-2021-44228&at=2021-12-10',
  `/affected?q=CVE-2021-44228&site=${await affected()}`, '/watch', '/watch/actors', '/edges', '/look',
  '/posture', '/incident/CVE-2021-44228', '/docs', '/docs/edges', '/docs/conformance',
  '/docs/commands/incident', '/docs/codes',
  `/posture?org=${await body()}`, '/audit?state=verify', '/nowhere',
  await link(`${CONSOLE}/sites?state=f`, '/site/')];

/** Addresses of the public page in each language. */
const PUBLIC_PAGES = {
  fr: ['/fr/', '/fr/secteur/health/', '/fr/a-z/', await link(`${PUBLIC}/fr/a-z/`, '/fr/a-z/'),
    await link(`${PUBLIC}/fr/secteur/health/`, '/certificates/')],
  en: ['/en/', '/en/sector/health/', '/en/a-z/', await link(`${PUBLIC}/en/a-z/`, '/en/a-z/')],
};

const withLang = (path, lang) => `${path}${path.includes('?') ? '&' : '?'}lang=${lang}`;

const pages = ['fr', 'en'].flatMap((lang) => [
  ...CONSOLE_PAGES.map((path) => ({ lang, path, url: CONSOLE + withLang(path, lang) })),
  ...PUBLIC_PAGES[lang].map((path) => ({ lang, path, url: PUBLIC + path })),
]);

/** Shows a page in one theme and width, and checks it there. */
async function look(page, place, colorScheme, [width, height]) {
  const name = `${place.url} ${colorScheme} ${width}`;
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.setViewportSize({ width, height });
  assert.deepEqual(await violations(page), [], name);
  assert.equal(await overflow(page), 0, `${name} is too wide`);
  if (SHOTS) {
    const file = `${place.path.replace(/[^a-z0-9]+/g, '-')}-${place.lang}-${colorScheme}-${width}`;
    await page.screenshot({ path: join(SHOTS, `${file}.png`) });
  }
  if (width > 400) return;
  assert.deepEqual(await sideways(page), [], name);
  await page.setViewportSize({ width: 320, height });
  assert.equal(await overflow(page), 0, `${name} scrolls sideways at 320 px`);
}

/** Pages that are looked at in the colours of others, too. */
const THEMED = ['/', '/sites', '/affected?q=CVE-2021-44228', '/watch', '/edges', '/posture',
  '/fr/', '/en/'];

async function themes(page, url) {
  await page.setViewportSize({ width: 1600, height: 1000 });
  for (const theme of ['qc', 'gc']) {
    await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await violations(page), [], `${url} ${theme} ${colorScheme}`);
      if (SHOTS) {
        const name = new URL(url).pathname.replace(/[^a-z0-9]+/g, '-');
        await page.screenshot({ path: join(SHOTS, `theme${name}-${theme}-${colorScheme}.png`) });
      }
    }
  }
}

/** And with more contrast, as the system of its reader asks for it. */
async function contrast(page, url) {
  await page.evaluate(() => { document.documentElement.dataset.theme = 'neutral'; });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, contrast: 'more' });
    assert.deepEqual(await violations(page, CONTRAST), [], `${url} ${colorScheme} contrast`);
    if (SHOTS) {
      const name = new URL(url).pathname.replace(/[^a-z0-9]+/g, '-');
      await page.screenshot({ path: join(SHOTS, `contrast${name}-${colorScheme}.png`) });
    }
  }
  await page.emulateMedia({ contrast: 'no-preference' });
}

async function check(page, place) {
  const { lang, path, url } = place;
  const faults = listen(page);
  const response = await page.goto(url);
  assert.equal(response.status(), path === '/nowhere' ? 404 : 200, url);
  const headers = await response.allHeaders();
  assert.deepEqual(unsafe(headers['content-security-policy']), [], url);
  assert.equal(await page.getAttribute('html', 'lang'), lang);
  for (const colorScheme of ['light', 'dark']) {
    for (const size of [[1600, 1000], [400, 800]]) await look(page, place, colorScheme, size);
  }
  if (THEMED.includes(path)) await themes(page, url);
  if (THEMED.includes(path) && url.startsWith(CONSOLE)) await contrast(page, url);
  const expected = (fault) => path === '/nowhere' && fault.includes('404');
  assert.deepEqual(faults.filter((fault) => !expected(fault)), [], url);
}

for (const place of pages) {
  test(`${place.path} in ${place.lang}`, () => withBrowser(async (context) => {
    await check(await context.newPage(), place);
  }));
}

test('no page of the guide is wider than a telephone', () => withBrowser(async (context) => {
  const page = await context.newPage();
  const faults = listen(page);
  await page.setViewportSize({ width: 320, height: 800 });
  for (const lang of ['fr', 'en']) {
    await page.goto(`${CONSOLE}/docs?lang=${lang}`);
    const links = await page.$$eval('.book nav a', (all) => all.map((a) => a.href));
    assert.ok(links.length > 30, `${links.length} pages`);
    for (const link of links) {
      await page.goto(link);
      assert.equal(await overflow(page), 0, `${link} scrolls sideways at 320 px`);
    }
  }
  assert.deepEqual(faults, []);
}));
