"""Load shop_derived.daily_orders_v1."""


def main() -> None:
    """Fetch and load."""


if __name__ == "__main__":
    main()
