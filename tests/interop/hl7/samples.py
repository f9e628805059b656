"""Messages of our own, with the oddities of real ones. No patient in them exists."""

from __future__ import annotations

MSH = "MSH|^~\\&|LIS|PATHLAB|HERALD|HOSP|20261103142500+0100||ORU^R01^ORU_R01|M1|P|2.5.1||||||UNICODE UTF-8"
PID = "PID|1||4711^^^HOSP&1.2.276.0.76.3&ISO^MR~99^^^NAT^NI||DOE^JANE"
OBR = "OBR|1||S26-100^PATHLAB|74885-5^HER2 panel^LN|||20261101|||||||||||||||20261103120000||SP|F"
SPM = "SPM|1|^S26-100-A&PATHLAB||119376003^Tissue specimen^SCT|||65801008^Excision^SCT|76752008^Breast^SCT"
SPM += "||||||Block A1|||20261101"
IHC = "85319-2^HER2 IHC^LN"
RATIO = "49683-6^HER2/CEP17^LN"


def message(*segments: str, header: str = MSH) -> bytes:
    return "\r".join((header, *segments, "")).encode()


def oru(*observations: str, header: str = MSH, obr: str = OBR) -> bytes:
    return message(PID, "ORC|RE", obr, *observations, header=header)


SYNOPTIC = oru(
    f"OBX|1|CWE|{IHC}|A1|LA11842-4^2+^LN||||||F|||20261103110000",
    f"OBX|2|SN|{RATIO}|A1|^1.80|{{ratio}}|||||F",
    "NTE|1||Forty cells were counted.\\.br\\By two observers.",
    "OBX|3|NM|74860-8^HER2 copies^LN|A1|4.50|{copies}/nucleus|||||F",
    SPM,
    "OBX|1|SN|35659-2^Age at collection^LN||^54|a|||||F",
)

REAL_FEED = oru(
    *(
        f"OBX|{number}|TX|HER2RPT^HER2 report^L||{line}||||||F"
        for number, line in enumerate(
            (
                "HER2 Status: NEGATIVE (see interpretation)",
                "HER2/Chr17 Ratio = 1.85",
                "Average HER2 Copy Number = 4.9",
                "Cells Counted:40",
                "HER2 by IHC:2+",
                "HER2 By ISH Recount",
                "HER2/Chr17 Ratio = 1.90",
                "Average HER2 Copy Number = 4.6",
                "Cells Counted:40",
            ),
            1,
        )
    )
)

TWO_CASES = message(
    PID,
    "OBR|1||S26-100|IHC^HER2^L|||||||||||||||||||||F",
    f"OBX|1|ST|{IHC}||Score 3+||||||F",
    "SPM|1|^S26-100-A||TISS^Tissue^HL70487",
    "OBR|2||S26-200|IHC^HER2^L|||||||||||||||||||||F",
    f"OBX|1|ST|{IHC}||Score 0||||||F",
    "SPM|1|^S26-200-B||TISS^Tissue^HL70487",
)

CAP = oru(
    "OBX|1|ST|60573-3^Report template source^LN||CAP eCC||||||F",
    "OBX|2|CWE|60572-5^Report template ID^LN||169.100004300^Breast Biomarkers^CAPECC||||||F",
    "OBX|3|CWE|31012.100004300^HER2 (by IHC)^CAPECC||31017.100004300^Equivocal (Score 2+)^CAPECC||||||F",
    "OBX|4|CWE|31038.100004300^Dual probe^CAPECP|25909|25909.100004300^Specify^CAPECP||||||F",
    "OBX|5|NM|31038.100004300^Dual probe^CAPECP|+25909.1000043|2.4||||||F",
)

MERGE = message(
    "EVN|A40|20261103",
    "PID|1||new1^^^HOSP^MR||DOE^JANE",
    "MRG|old1^^^HOSP^MR~old2^^^HOSP^MR",
    "PID|2||new2^^^HOSP^MR",
    "PV1|1|O",
    "MRG|old3^^^HOSP^MR",
    header=MSH.replace("ORU^R01^ORU_R01", "ADT^A40^ADT_A39"),
)

ODD_SEPARATORS = (
    b"MSH$%~@!$LIS$PATHLAB$$$20261103$$ORU%R01$M2$P$2.4\r"
    b"PID$1$$4711%%%HOSP!1.2.276.0.76.3!ISO%MR\r"
    b"OBR$1$$S26-100$HER2\r"
    b"OBX$1$TX$RPT%Report%L$$50 @F@ 60 @S@ a@T@b @R@ @E@ done$$$$$$F\r"
)

ALL = {
    "synoptic": SYNOPTIC, "real feed": REAL_FEED, "two cases": TWO_CASES, "cap": CAP, "merge": MERGE,
    "odd separators": ODD_SEPARATORS,
}  # fmt: skip
