// Every page, in two languages, two themes and two widths: rules of accessibility, width, policy,
// and an empty console. Pictures are taken when SHOTS names a folder.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { listen, overflow, unsafe, violations, withBrowser } from './browser.mjs';

const { CONSOLE, PUBLIC, SHOTS } = process.env;

/** Addresses of the console, without language. */
const CONSOLE_PAGES = (process.env.CONSOLE_PAGES ?? '/ /sites').split(' ');

/** The first link of a page that begins so. */
async function link(page, start) {
  const html = await (await fetch(PUBLIC + page)).text();
  return new RegExp(`"(${start}[^"]+)"`).exec(html)[1];
}

/** Addresses of the public page in each language. */
const PUBLIC_PAGES = {
  fr: ['/fr/', '/fr/secteur/health/', '/fr/a-z/', await link('/fr/a-z/', '/fr/a-z/'),
    await link('/fr/secteur/health/', '/certificates/')],
  en: ['/en/', '/en/sector/health/', '/en/a-z/', await link('/en/a-z/', '/en/a-z/')],
};

const withLang = (path, lang) => `${path}${path.includes('?') ? '&' : '?'}lang=${lang}`;

const pages = ['fr', 'en'].flatMap((lang) => [
  ...CONSOLE_PAGES.map((path) => ({ lang, path, url: CONSOLE + withLang(path, lang) })),
  ...PUBLIC_PAGES[lang].map((path) => ({ lang, path, url: PUBLIC + path })),
]);

async function look(page, { lang, path, url }, shot) {
  const faults = listen(page);
  const response = await page.goto(url);
  assert.ok(response.ok(), `${url}: status ${response.status()}`);
  const headers = await response.allHeaders();
  assert.deepEqual(unsafe(headers['content-security-policy']), [], url);
  assert.equal(await page.getAttribute('html', 'lang'), lang);
  assert.deepEqual(await violations(page), [], `${url} ${shot}`);
  assert.equal(await overflow(page), 0, `${url} ${shot} is too wide`);
  if (shot.endsWith('400')) {
    await page.setViewportSize({ width: 320, height: 800 });
    assert.equal(await overflow(page), 0, `${url} scrolls sideways at 320 px`);
    await page.setViewportSize({ width: 400, height: 800 });
  }
  if (SHOTS) {
    const name = `${path.replace(/[^a-z0-9]+/g, '-')}-${lang}-${shot}.png`;
    await page.screenshot({ path: join(SHOTS, name) });
  }
  assert.deepEqual(faults, [], url);
}

for (const colorScheme of ['light', 'dark']) {
  for (const [width, height] of [[1600, 1000], [400, 800]]) {
    test(`every page, ${colorScheme}, ${width} px`, async () => {
      const options = { colorScheme, viewport: { width, height }, reducedMotion: 'reduce' };
      await withBrowser(async (context) => {
        for (const place of pages) {
          const page = await context.newPage();
          await look(page, place, `${colorScheme}-${width}`);
          await page.close();
        }
      }, options);
    });
  }
}
