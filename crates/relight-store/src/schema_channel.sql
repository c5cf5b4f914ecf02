-- Step 20: how else a service is reached while its site is dark, in two languages.
ALTER TABLE site ADD COLUMN channel_fr TEXT NOT NULL DEFAULT '';
ALTER TABLE site ADD COLUMN channel_en TEXT NOT NULL DEFAULT '';
