"""`python -m console`: the same as `aiaccount-sync`, where scripts are not on the path."""

from console.main import main

if __name__ == "__main__":
    main()
