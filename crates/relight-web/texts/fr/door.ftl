door-foreign-form = Cette demande ne vient pas d’une page de cette console, rien n’a donc été fait. Ouvrez la console et refaites-la.
door-not-signed-in = Connectez-vous d’abord.
door-beyond-scope = Cette page montre tout le registre, vos rôles n’en couvrent qu’une partie.
door-sign-out = Se déconnecter
