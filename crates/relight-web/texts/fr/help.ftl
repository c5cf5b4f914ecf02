### Aide de la ligne de commande.

heading-usage = Utilisation :
heading-commands = Commandes{"\u00A0"}
heading-arguments = Arguments{"\u00A0"}
heading-options = Options{"\u00A0"}
heading-global-options = Options générales{"\u00A0"}
note-default = par défaut
note-values = valeurs
note-environment = variable

value-command = COMMANDE
value-file = FICHIER
value-dir = DOSSIER
value-n = N

help = Voir ce qui est touché, éteindre les sites, le prouver, rallumer chacun une fois prouvé sain.
option-data = Dossier de données; /var/lib/relight pour root, sinon relight dans votre dossier de données
option-json = Du JSON au lieu de texte
option-lang = Langue des textes; sinon RELIGHT_LANG et la locale décident
option-color = Couleurs; NO_COLOR et CLICOLOR_FORCE comptent avec auto
option-no-progress = Ne pas dessiner la progression
option-quiet = Seulement les données et ce qui a mal tourné
option-help = Montrer cette aide; aussi --aide
option-version = Montrer la version

help-scan = Dresser la liste de ce que contiennent dossiers et fichiers, et de ce qu'on en sait
option-targets = Dossiers ou fichiers; rien n'y est exécuté
option-fail-on = Terminer par 10 quand un constat atteint ce niveau
option-depth = Archives dans des archives, au plus
option-sbom = Écrire aussi l'inventaire en JSON CycloneDX 1.6 (.cdx.json)
option-site = Garder l'inventaire comme celui de ce site
help-completions = Écrire le script de complétion d'un interpréteur
option-shell = Interpréteur
help-help = Montrer l'aide d'une commande
option-help-command = Commande

help-demo = Décembre 2021 dans une province fictive, de la première alarme à la dernière lumière
option-sites = Sites fictifs, au plus 20 000
option-seed = Graine dont tout découle
option-edge = Frontal devant les sites
option-serve = Montrer le mur de lumières dans le navigateur et rester jusqu'à Ctrl-C
option-folder = Travailler dans ce dossier et le garder
option-resume = Continuer l'incident de --folder
