"""
Words that are not, or not always, somebody's name: those of the trade, and ordinary ones.

All are written as `projections.report_spelling` folds them.
"""

TRADE = frozenset(
    "account admin administrator agent alert alerting alerts all automation bot call ci client commander communications "
    "company contact customer customers data database deploy deployment deployer developer developers dev duty engineer "
    "engineering engineers everyone first group head incident it lead leader machine management manager member monitor "
    "monitoring network nobody office officer on oncall operations operator operators ops owner pager partner pipeline "
    "platform primary probe production redacted release reliability reporter responder rota scribe second secondary "
    "security senior server service services shift site someone sre staff support system team tech test tester the unknown "
    "user users web".split()
)
"""Words of the trade: whoever is called so is named by a role already."""

ORDINARY = frozenset(
    "amber angel april art august autumn baker banks bell best bill bird bishop black brook brooks brown carter case chance "
    "chase chip clay cliff cook cross crystal da dale dash dawn day de dean del den der di don drew du ebb eve faith field "
    "fields ford fox frank gale gene glen gold grace grant gray green guy hall harmony heath hill holly hope hunter iris ivy "
    "jack jade jay jean joy june king la lane le long love mark max may melody mercy miles mills min money moon north olive "
    "page park parks pat patience pearl peg penny pierce pike pine pink piper price prudence ray reed rich ridge rob robin "
    "rock rose ruby sage sandy short silver sky small smith snow sterling stone storm strong sue summer sunny swift tab taylor "
    "temple val van violet von wade walker wall ward wells west white will winter wolf wood woods young "
    # What is seldom a name, and in most sentences.
    "ai db eu hr id io ip os pc pr qa uk ui vm about above after again ago alias also always am an and any are around as at away back bad base bases be been before "
    "behind being below bent best better between bias big both but by came can cannot cases cause caused change changed "
    "changes chaos class classes clean clear close closed code come could cut dan day days did do does done down due during "
    "each early eight else end ended error even event events ever every fact far fast few file fine fire five fix fixed flow "
    "for found four free from full gas gave get give go goes good got great had half hand hang hard has have he held her here "
    "high him his hold host hour hours how if in into is its job just keep kept key keys kind knew know known large last late "
    "later law least left lens less let level life light like likely line link list live load lock log logs look loss lost lot "
    "love low made main make man many mass match me mean men might mind minute miss mode more most move much must my name near "
    "need never new news next night nine no node none nor normal not note nothing now odd of off often old once one only open "
    "or other our out over own pass past path people per ping place plan plus pod point pool port power press queue rate rather "
    "read real rest right rise road roar role roll root rule run runs safe said same saw say see seen self send sent series "
    "set seven shall she show shown side sign since single six size slow so some son song soon source start state status stay "
    "step still stop such sun sure table take taken ten than that their them then there these they thin thing this those three "
    "through thus tie till time times to told too took top total trace true turn two under until up upon us use used value "
    "version very wait want war was watch wave way we week well went were what when where which while who whole why win wing "
    "with word words work world would write wrong year yes yet you your zero".split()
)
"""Words that are also names: as a part of a name, or alone, they are found with a capital letter alone."""
