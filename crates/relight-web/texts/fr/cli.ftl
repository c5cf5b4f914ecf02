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


### Erreurs et remèdes.

labelled = { $label } : { $text }
labelled-place = { $label } : { $place } : { $text }
with-detail = { $text } ({ $detail })
detail-label = détail technique
stdout-failed = la sortie n'a pas pu être écrite
cannot-read = impossible de lire { $path }
cannot-read-remedy = vérifiez que le chemin est exact et que vous avez le droit de le lire
cannot-write = impossible d'écrire { $path }
cannot-write-remedy = vérifiez que le dossier existe, que vous pouvez y écrire et qu'il reste de la place
no-register = il n'y a pas de registre dans { $folder }
no-register-remedy = créez-en un avec : { $command }, ou nommez un autre dossier avec --data
no-such-site = il n'y a pas de site { $site } dans le registre
no-such-site-remedy = relight sites list montre les sites
inventory-stored = inventaire de { $site } enregistré

store-corrupt = le registre est endommagé, ou n'est pas un registre de relight
store-corrupt-remedy = rien n'a été changé : restaurez une sauvegarde
store-newer = le registre a été écrit par un relight plus récent
store-newer-remedy = mettez ce programme à jour
store-fenced = un autre relight a pris la main sur ce dossier
store-fenced-remedy = rien n'a été changé : voyez quel relight y tourne
store-plan-stale = le registre a changé entre-temps
store-plan-stale-remedy = rien n'a été changé : relancez la commande
store-disk-full = le disque est plein
store-disk-full-remedy = rien n'a été changé : faites de la place et relancez la commande
store-busy = un autre programme occupe le registre
store-busy-remedy = attendez un instant et relancez la commande
store-not-found = un élément nommé n'est pas dans le registre
store-not-found-remedy = relight sites list montre les sites
store-limit = un élément dépasse une limite
store-limit-remedy = divisez l'entrée
store-other = le registre ne peut pas être utilisé
store-other-remedy = vérifiez que vous pouvez lire et écrire le dossier, ou nommez-en un autre avec --data

engine-stale = la situation n'est plus celle qui a été montrée
engine-stale-remedy = rien n'a été changé : revoyez le plan avec --dry-run
engine-rejected = l'état de l'incident ne le permet pas
engine-rejected-remedy = relight incident status montre où il en est
engine-not-allowed = la politique ne vous le permet pas
engine-not-allowed-remedy = voyez policy.toml dans le dossier de données
engine-not-found = un élément nommé n'existe pas
engine-not-found-remedy = relight incident status et relight sites list montrent ce qui existe
engine-other = l'opération n'a pas réussi
engine-other-remedy = relancez la commande; si elle échoue encore, relight audit verify vérifie le journal

### Arguments inutilisables.

usage-unknown-command = commande inconnue « { $name } »
usage-unknown-option = option inconnue « { $name } »
usage-no-value = il faut une valeur à { $name }
usage-bad-value = { $name } ne peut pas être « { $value } »
usage-no-equals = la valeur de { $name } suit un signe d'égalité
usage-number-of-values = { $name } n'a pas le bon nombre de valeurs
usage-conflict = { $name } et { $other } ne vont pas ensemble
usage-missing = il manque : { $names }
usage-no-command = il manque une commande
usage-not-utf8 = un argument n'est pas du texte UTF-8
usage-other = les arguments ne peuvent pas être utilisés
usage-near = ce qui existe de plus proche : { $near }
usage-values = possibilités : { $values }
usage-more = Pour en savoir plus : { $command }

### Analyses.

scan-one-target = --sbom et --site ne vont qu'avec une seule cible
scan-progress = { NUMBER($files) } fichiers, { NUMBER($archives) } archives
scan-unread-remedy = ce qui n'a pas pu être lu peut contenir n'importe quoi : la réponse est incomplète
and-more-places = … et { NUMBER($count) } de plus (--json montre tout)
finding-affected = touché
finding-mitigated = touché, atténué
finding-possible-match = peut-être touché : version absente ou non comparable
finding-range-unresolved = peut-être touché : l'avis ne donne aucun intervalle
