"""`python -m coffey`."""


def main() -> None:
    """Run the command line."""
    from coffey.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
