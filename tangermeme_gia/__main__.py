"""`python -m tangermeme_gia` is the command `tangermeme-gia`."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
