# Le guide dans la console.
book-title = Guide
book-lead = Le guide de cette version même; il est dans le programme et n'a besoin d'aucun réseau. La recherche de votre navigateur parcourt une page.
book-commands = Commandes
book-codes = Codes
book-codes-lead = Ce qui figure comme code dans les documents, dans les réponses de l'API et dans le journal, avec les mots de la ligne de commande et de la console.
book-exit = Codes de retour des commandes
book-reasons = Pourquoi un site est inconnu, ou non prouvé
book-flaws = Ce qu'une analyse n'a pas pu lire
book-warnings = Ce qui n'a pas été utilisé d'un fichier
book-refusals = Pourquoi un acte est refusé
book-lints = Constats dans la configuration d'un frontal et dans les inventaires
