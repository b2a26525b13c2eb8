"""Who the person is: matricule INS, traits, identity status and the rules about them."""
