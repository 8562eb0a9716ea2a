"""How cloaked portraits look to people who do not know which of them are cloaked."""
