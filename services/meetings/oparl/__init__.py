"""Public bodies, who sits in them, their meetings and published minutes as open data: OParl 1.1 (https://oparl.org)."""
