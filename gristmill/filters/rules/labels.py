"""What lid176 calls the languages of FineWeb-2, which names them by ISO 639-3 and script.

Only languages whose label in lid176 means that language, or the one standard of it that FineWeb-2 has. A `language`
stage can rename its model's labels by ISO 639: lid176's ``zh`` is then ``zho`` or ``zho_Hans``, since it is no more
exact than the macrolanguage, where FineWeb-2 has ``cmn_Hani``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

_PAIRS: Final = """
afr_Latn af, als_Latn sq, amh_Ethi am, arb_Arab ar, arg_Latn an, ary_Arab ary, arz_Arab arz, asm_Beng as, ast_Latn ast,
ava_Cyrl av, azj_Latn az, azb_Arab azb, bak_Cyrl ba, bel_Cyrl be, ben_Beng bn, bod_Tibt bo, bos_Latn bs, bre_Latn br,
bul_Cyrl bg, cat_Latn ca, ceb_Latn ceb, ces_Latn cs, chv_Cyrl cv, ckb_Arab ckb, cmn_Hani zh, cor_Latn kw, cos_Latn co,
cym_Latn cy, dan_Latn da, deu_Latn de, div_Thaa dv, ekk_Latn et, ell_Grek el, epo_Latn eo, eus_Latn eu, fas_Arab fa,
fin_Latn fi, fra_Latn fr, fry_Latn fy, gla_Latn gd, gle_Latn ga, glg_Latn gl, glv_Latn gv, guj_Gujr gu, hat_Latn ht,
heb_Hebr he, hin_Deva hi, hrv_Latn hr, hsb_Latn hsb, hun_Latn hu, hye_Armn hy, ido_Latn io, ilo_Latn ilo, ina_Latn ia,
ind_Latn id, isl_Latn is, ita_Latn it, jav_Latn jv, jpn_Jpan ja, kan_Knda kn, kat_Geor ka, kaz_Cyrl kk, khk_Cyrl mn,
khm_Khmr km, kir_Cyrl ky, kmr_Latn ku, kor_Hang ko, lao_Laoo lo, lat_Latn la, lim_Latn li, lit_Latn lt, lmo_Latn lmo,
ltz_Latn lb, lvs_Latn lv, mal_Mlym ml, mar_Deva mr, mkd_Cyrl mk, mlt_Latn mt, mya_Mymr my, nds_Latn nds, nld_Latn nl,
nno_Latn nn, nob_Latn no, npi_Deva ne, oci_Latn oc, ory_Orya or, oss_Cyrl os, pan_Guru pa, pbt_Arab ps, plt_Latn mg,
pms_Latn pms, pnb_Arab pnb, pol_Latn pl, por_Latn pt, roh_Latn rm, ron_Latn ro, rus_Cyrl ru, sah_Cyrl sah, san_Deva sa,
scn_Latn scn, sin_Sinh si, slk_Latn sk, slv_Latn sl, snd_Arab sd, som_Latn so, spa_Latn es, srp_Cyrl sr, sun_Latn su,
swe_Latn sv, swh_Latn sw, tam_Taml ta, tat_Cyrl tt, tel_Telu te, tgk_Cyrl tg, fil_Latn tl, tha_Thai th, tuk_Latn tk,
tur_Latn tr, uig_Arab ug, ukr_Cyrl uk, urd_Arab ur, uzn_Latn uz, vie_Latn vi, war_Latn war, ydd_Hebr yi, yor_Latn yo,
yue_Hani yue, zsm_Latn ms
"""

_RENAMED_PAIRS: Final = """
als_Latn sqi_Latn, arb_Arab ara_Arab, azj_Latn aze_Latn, cmn_Hani zho_Hans, ekk_Latn est_Latn, fil_Latn tgl_Latn,
khk_Cyrl mon_Cyrl, kmr_Latn kur_Latn, kor_Hang kor_Kore, lvs_Latn lav_Latn, nob_Latn nor_Latn, npi_Deva nep_Deva,
ory_Orya ori_Orya, pbt_Arab pus_Arab, plt_Latn mlg_Latn, swh_Latn swa_Latn, uzn_Latn uzb_Latn, ydd_Hebr yid_Hebr,
yue_Hani yue_Hant, zsm_Latn msa_Latn
"""

_RENAMED: Final[Mapping[str, str]] = MappingProxyType(dict(pair.split() for pair in _RENAMED_PAIRS.split(",")))
"""What lid176's label of a language becomes by ISO 639-3 and script, where that is not FineWeb-2's name."""

_OF_TWO_LANGUAGES: Final = ("als",)

LID176: Final[Mapping[str, str]] = MappingProxyType(dict(pair.split() for pair in _PAIRS.split(",")))


def labels_of(language: str, own: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a language of FineWeb-2 may be called: its name, then the label that is given, or else `names_of`.

    >>> labels_of("fra_Latn", {}), labels_of("fra_Latn", {"fra_Latn": "french"})
    (('fra_Latn', 'fra', 'fr'), ('fra_Latn', 'french'))
    """
    return (language, own[language]) if language in own else names_of(language)


def names_of(label: str) -> tuple[str, ...]:
    """Return every name by which lists and models call a language.

    FineWeb-2's, its ISO 639-3 part, lid176's, and that by ISO 639-3 with the script and without.

    A label that is none of these is its only name. So is ``als``, which is Tosk Albanian to ISO 639-3 and to FineWeb-2,
    and Alemannic to lid176.

    >>> names_of("fra_Latn"), names_of("tl"), names_of("xyz")
    (('fra_Latn', 'fra', 'fr'), ('fil_Latn', 'fil', 'tl', 'tgl_Latn', 'tgl'), ('xyz',))
    """
    return _names().get(label, (label,))


@cache
def _names() -> Mapping[str, tuple[str, ...]]:
    groups = (_group(name, short) for name, short in (*LID176.items(), ("eng_Latn", "en")))
    return {name: group for group in groups for name in group}


def _group(name: str, short: str) -> tuple[str, ...]:
    renamed = _RENAMED.get(name, name)
    names = (name, name[:3], short, renamed, renamed[:3])
    return tuple(dict.fromkeys(label for label in names if label not in _OF_TWO_LANGUAGES))
