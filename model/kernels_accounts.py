"""Orders of chips and what is drawn for them, compiled; told in words in `model/accounts.py`.

As in `model/kernels.py`: loops in the order in which they are written, and nothing but + - * / and comparisons, so
that a world has the same bits alone and in any batch. Legs, sites and parties are rows, worlds last; US$bn.
"""

from numba import float64, int64, types, void

from agents.kernels import kernel

TABLE = types.Array(float64, 2, "C", readonly=True)
ROWS = types.Array(int64, 1, "C", readonly=True)
OUT = float64[:, ::1]
COREWEAVE, VEHICLE, LAB = 4, 6, 8
"""First legs of the buyers that come after the halls, which are Oracle's."""


@kernel(void, TABLE, TABLE, float64, float64, TABLE, TABLE, TABLE, TABLE, OUT)
def order_chips(
    halls, lab_share, of_coreweave, chips_of_it, of_vehicle, chip_share, turbines, level, ordered
):
    """What each leg orders at this `level` of prices: chips, and for CoreWeave and the vehicle the rest beside them.

    Halls' chips are Oracle's but for the share that the lab borrows for. Changes ordered.
    """
    sites, worlds = halls.shape
    for world in range(worlds):
        share, vehicle, price = lab_share[0, world], of_vehicle[0, world], level[0, world]
        whole = 0.0
        for site in range(sites):
            ordered[site, world] = halls[site, world] * (1.0 - share) * price
            whole += halls[site, world]
        ordered[COREWEAVE, world] = of_coreweave * chips_of_it * price
        ordered[COREWEAVE + 1, world] = of_coreweave * (1.0 - chips_of_it) * price
        ordered[VEHICLE, world] = vehicle * chip_share[0, world] * price
        rest = vehicle * (1.0 - chip_share[0, world]) + turbines[0, world]
        ordered[VEHICLE + 1, world] = rest * price
        ordered[LAB, world] = whole * share * price


@kernel(void, TABLE, ROWS, ROWS, TABLE, TABLE, OUT, OUT, OUT)
def draw_for_chips(billed, of_vendor, buyers, chip_advance, vehicle_equity, sold, draws, equity):
    """What the vendor sold; what CoreWeave, the vehicle and the lab, rows `buyers`, draw; the vehicle's equity.

    Changes sold, draws ``(parties, worlds)``, which come in as zeros, and equity.
    """
    for world in range(billed.shape[1]):
        of_all = 0.0
        for leg in of_vendor:
            of_all += billed[leg, world]
        sold[0, world] = of_all
        coreweave = billed[COREWEAVE, world] + billed[COREWEAVE + 1, world]
        vehicle, share = billed[VEHICLE, world] + billed[VEHICLE + 1, world], vehicle_equity[0, world]
        draws[buyers[0], world] = chip_advance[0, world] * coreweave
        draws[buyers[1], world] = (1.0 - share) * vehicle
        draws[buyers[2], world] = billed[LAB, world]
        equity[0, world] = share * vehicle
