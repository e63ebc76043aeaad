"""What a host gives to support: which steps there are, where their results go, and how each is carried out."""
