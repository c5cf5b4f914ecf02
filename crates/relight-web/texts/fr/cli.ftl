### The command line.

error-label = erreur
hint-label = conseil
warning-label = avertissement
next-label = Ensuite

# The first line of an answer.
affected-summary = { NUMBER($affected) } { $affected ->
    [one] site touché
   *[other] sites touchés
 } sur { NUMBER($total) }, { NUMBER($unknown) } { $unknown ->
    [one] inconnu
   *[other] inconnus
 }, { NUMBER($clear) } hors de cause

column-sector = Secteur
column-organisation = Organisme
column-site = Site
column-sites = Sites
column-affected = Touchés
column-unknown = Inconnus
column-share = Part
column-edge = Frontal
column-component = Composant
column-state = État
column-reason = Raison

and-more-sectors = … et { NUMBER($count) } { $count ->
    [one] autre secteur
   *[other] autres secteurs
 } (--by none les montre tous)

# The first three numbers of a scan.
scan-summary = { NUMBER($files) } { $files ->
    [one] fichier lu
   *[other] fichiers lus
 }, { NUMBER($archives) } { $archives ->
    [one] archive
   *[other] archives
 } (profondeur { NUMBER($deepest) }), { NUMBER($components) } { $components ->
    [one] composant
   *[other] composants
 }
scan-unread = { NUMBER($count) } { $count ->
    [one] endroit illisible
   *[other] endroits illisibles
 }

plan-nothing-changed = Rien n'a changé.
exit-unknown = { NUMBER($count) } { $count ->
    [one] site inconnu
   *[other] sites inconnus
 }
serve-ready = console { $console }   page publique { $public }   { NUMBER($sites) } { $sites ->
    [one] site
   *[other] sites
 }
