"""The whole money of a way: what is paid for what, what is left unserved, what the risk counts,
and why two ways differ."""
