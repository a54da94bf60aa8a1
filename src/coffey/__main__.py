"""`python -m coffey`."""

import os


def main() -> None:
    """Run the command line."""
    # Threads of OpenMP that spin while they wait starve whatever else runs here; it reads this when it loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from coffey.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
