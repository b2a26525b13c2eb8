"""Whether a text is a unit of UCUM (case sensitive).

https://ucum.org/ucum , paragraphs 2 (grammar) and 3 (the tables of prefixes and units). A text that
is built as a unit but names one that is not in the tables below is neither said to be one nor not.
Blanks within ``{}`` are let pass, as UCUM's own list of common units has them.
"""

import re

LENGTH_MAX = 200
NESTED_MAX = 10

_PREFIX_NAMES = "Y Z E P T G M k h da d c m u n p f a z y Ki Mi Gi Ti"
_PREFIXES = tuple(_PREFIX_NAMES.split(" "))

_METRIC_NAMES = """
m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc
Ky Gal dyn erg P Bi St Mx G Oe Gb sb Lmb ph Ci R RAD REM Np B B[SPL] B[V] B[mV] B[uV] B[10.nV]
B[W] B[kW] cal_[15] cal_[20] cal_m cal_IT cal_th cal m[H2O] m[Hg] g% tex mho bit By Bd st eq osm
[iU] [IU] kat U gf [c] [h] [k] [eps_0] [mu_0] [e] [m_e] [m_p] [G] [g] [ly] [Ch]
"""
_PLAIN_NAMES = """
10* 10^ [pi] % [ppth] [ppm] [ppb] [pptr] gon deg ' '' min h d a_t a_j a_g a wk mo_s mo_j mo_g mo
AU Ao atm att b [in_i] [ft_i] [yd_i] [mi_i] [fth_i] [nmi_i] [kn_i] [sin_i] [sft_i] [syd_i]
[cin_i] [cft_i] [cyd_i] [bf_i] [cr_i] [mil_i] [cml_i] [hd_i] [ft_us] [yd_us] [in_us] [rd_us]
[ch_us] [lk_us] [rch_us] [rlk_us] [fth_us] [fur_us] [mi_us] [acr_us] [srd_us] [smi_us] [sct]
[twp] [mil_us] [in_br] [ft_br] [rd_br] [ch_br] [lk_br] [fth_br] [pc_br] [yd_br] [mi_br] [nmi_br]
[kn_br] [acr_br] [gal_us] [bbl_us] [qt_us] [pt_us] [gil_us] [foz_us] [fdr_us] [min_us] [crd_us]
[bu_us] [gal_wi] [pk_us] [dqt_us] [dpt_us] [tbs_us] [tsp_us] [cup_us] [foz_m] [cup_m] [tsp_m]
[tbs_m] [gal_br] [pk_br] [bu_br] [qt_br] [pt_br] [gil_br] [foz_br] [fdr_br] [min_br] [gr]
[lb_av] [oz_av] [dr_av] [scwt_av] [lcwt_av] [ston_av] [lton_av] [stone_av] [pwt_tr] [oz_tr]
[lb_tr] [sc_ap] [dr_ap] [oz_ap] [lb_ap] [oz_m] [lne] [pnt] [pca] [pnt_pr] [pca_pr] [pied]
[pouce] [ligne] [didot] [cicero] [degF] [degR] [degRe] [Cal] [HP] [Btu_39] [Btu_59] [Btu_60]
[Btu_m] [Btu_IT] [Btu_th] [Btu] [lbf_av] [psi] circ sph [car_m] [car_Au] [smoot] [m/s2/Hz^0.5]
bit_s [MET] [PRU] [wood'U] [diop] [p'diop] %[slope] [mesh_i] [drp] [hnsf'U] [pH] [S] [HPF] [LPF]
[arb'U] [USP'U] [GPL'U] [MPL'U] [APL'U] [beth'U] [anti'Xa'U] [todd'U] [dye'U] [smgy'U] [bdsk'U]
[ka'U] [knk'U] [mclg'U] [tb'U] [CCID_50] [TCID_50] [EID_50] [PFU] [FFU] [CFU] [IR] [BAU] [AU]
[Amb'a'1'U] [PNU] [Lf] [D'ag'U] [FEU] [ELU] [EU] [NTU] [FNU] [in_i'H2O] [in_i'Hg] [den] [hp_X]
[hp_C] [hp_M] [hp_Q] [kp_X] [kp_C] [kp_M] [kp_Q] [ccid_50] [mu_0]
"""
_METRIC = frozenset(_METRIC_NAMES.split())
_PLAIN = frozenset(_PLAIN_NAMES.split())
_TERM = re.compile(
    r"(?P<note>\{[ -z|~]*\})|(?P<number>[0-9]+)(?![0-9*^])(?:\{[ -z|~]*\})?"
    r"|(?P<unit>10[*^]|(?:[!#-'*,:-Z\\^-z|~]|\[[!-Z\\^-~]*\])(?:[!#-'*,:-Z\\^-z|~]"
    r"|\[[!-Z\\^-~]*\])*?)(?P<power>[+-]?[0-9]+)?(?:\{[ -z|~]*\})?(?=[./)]|\Z)"
)
_NOTE = re.compile(r"\{[ -z|~]*\}")


class _Malformed(Exception):
    """Not built as a unit."""


def is_unit(code: str) -> bool | None:
    """Tell whether a text is a unit; None when it may be one that is not in the tables."""
    if not code or len(code) > LENGTH_MAX:
        return False
    try:
        end, known = _expression(code, 0, 0)
    except _Malformed:
        return False
    return (True if known else None) if end == len(code) else False


def _expression(text: str, place: int, depth: int) -> tuple[int, bool]:
    """Read terms with ``.`` and ``/`` between them; give where they end, and if all are known."""
    if depth > NESTED_MAX:
        raise _Malformed
    place += text.startswith("/", place)
    known = True
    while True:
        place, here = _component(text, place, depth)
        known = known and here
        if place == len(text) or text[place] not in "./":
            return place, known
        place += 1


def _component(text: str, place: int, depth: int) -> tuple[int, bool]:
    """Read one term, or what stands in parentheses."""
    if text.startswith("(", place):
        end, known = _expression(text, place + 1, depth + 1)
        if not text.startswith(")", end):
            raise _Malformed
        note = _NOTE.match(text, end + 1)
        return note.end() if note else end + 1, known
    match = _TERM.match(text, place)
    if match is None:
        raise _Malformed
    unit = match["unit"]
    return match.end(), unit is None or _is_known(unit)


def _is_known(unit: str) -> bool:
    if unit in _PLAIN or unit in _METRIC:
        return True
    return any(unit.startswith(each) and unit[len(each) :] in _METRIC for each in _PREFIXES)
