"""Who acts: one file per kind of actor, with its States, its Params and its rules."""
