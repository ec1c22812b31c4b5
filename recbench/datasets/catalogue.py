"""The data sets that recbench knows by name: where they are, what may be done with them, and whom to cite.

Checksums stand here only where they were computed from a file at hand. Whatever has none is unverified until the first
fetch records one beside the data.
"""

from __future__ import annotations

from pathlib import Path

import recbench
from recbench.api import Source, SourceFile

_BUNDLED = Path(recbench.__file__).parent / "bundled"
_READERS = "recbench.datasets.known:"
_MOVIELENS = "https://files.grouplens.org/datasets/movielens"
_HARPER = (
    "F. Maxwell Harper and Joseph A. Konstan. The MovieLens Datasets: History and Context. ACM Transactions on "
    "Interactive Intelligent Systems 5, 4, Article 19, 2015. https://doi.org/10.1145/2827872"
)
_GROUPLENS = (
    "GroupLens: research use with acknowledgement; no redistribution without separate permission, no commercial use "
    "without permission. See the readme that comes with it"
)
_GROUPLENS_SHARED = (
    "GroupLens: research use with acknowledgement; redistribution under the same conditions; no commercial use without "
    "permission. See the readme that comes with it"
)
_UNSTATED = "not stated by its owners: see the homepage"


def builtin_sources() -> tuple[Source, ...]:
    """All data sets that recbench itself offers, sorted by name."""
    every = (*_bundled(), *_movielens(), *_others(), *_amazon_2014(), *_amazon_2023())
    return tuple(sorted(every, key=lambda source: source.name))


def _bundled() -> tuple[Source, ...]:
    snapshot = (
        "https://raw.githubusercontent.com/sidooms/MovieTweetings/4d8280a3f1ea83e3e23f13d1710d19f43564274f"
        "/snapshots/100K"
    )
    return (
        Source(
            name="movietweetings-100k",
            title="MovieTweetings 100K",
            files=(
                SourceFile(
                    name="ratings.dat",
                    url=f"{snapshot}/ratings.dat",
                    sha256="c0dd868c2632d10002ebc928ddc5345f33adeaa59eca52c2941c26a2c5e36fd6",
                    size=2945101,
                ),
                SourceFile(
                    name="movies.dat",
                    url=f"{snapshot}/movies.dat",
                    sha256="e63fb84bc734e3c574f135634a40d3cbafab22b8f94f5fc0b80f80d1d2076efc",
                    size=542192,
                ),
            ),
            read=f"{_READERS}movietweetings",
            license="MIT, copyright (c) 2013 Simon Dooms",
            citation=(
                "Simon Dooms, Toon De Pessemier and Luc Martens. MovieTweetings: a Movie Rating Dataset Collected From "
                "Twitter. Workshop on Crowdsourcing and Human Computation for Recommender Systems, CrowdRec at RecSys "
                "2013"
            ),
            homepage="https://github.com/sidooms/MovieTweetings",
            bundled=_BUNDLED / "movietweetings-100k",
        ),
        Source(
            name="ms-usage",
            title="Purchases of the Microsoft Product Recommendations demonstration",
            files=(
                SourceFile(
                    name="demoUsage.csv",
                    sha256="e91eb994d20954e021c13f04c81fbc5a13e1599ccb1641314ba3265addb19aa1",
                    size=556386,
                ),
                SourceFile(
                    name="demoCatalog.csv",
                    sha256="1d0585ac905b0107f3e943bfa78f28512ab3dbd8491cd07816c6a5353b34f048",
                    size=7669,
                ),
            ),
            read=f"{_READERS}ms_usage",
            license="MIT, copyright (c) 2018 Microsoft",
            citation="none asked for: demonstration data of Microsoft's Product Recommendations solution",
            bundled=_BUNDLED / "ms-usage",
        ),
    )


def _movielens() -> tuple[Source, ...]:
    csv = (SourceFile(name="ratings.csv"), SourceFile(name="movies.csv"))
    dat = (SourceFile(name="ratings.dat"), SourceFile(name="movies.dat"))
    small = (
        SourceFile(
            name="ratings.csv",
            sha256="aa289ca83157595d0df6aea1be6a4ded676ddc4385472e8313a8ed9805352646",
            size=2483723,
        ),
        SourceFile(
            name="movies.csv",
            sha256="5a5f32dd9bb3797b8e728a1b98958789d2b13f294a69fdfbc5727f8a9611aa07",
            size=494431,
        ),
    )
    return (
        _grouplens("ml-100k", "MovieLens 100K", "movielens_100k", _CONTENTS_100K, license_=_GROUPLENS),
        _grouplens(
            "ml-latest-small",
            "MovieLens latest small (September 2018)",
            "movielens_csv",
            small,
            sha256="696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436",
            size=978202,
        ),
        _grouplens("ml-1m", "MovieLens 1M", "movielens_1m", (*dat, SourceFile(name="users.dat")), license_=_GROUPLENS),
        _grouplens("ml-10m", "MovieLens 10M", "movielens_10m", dat, license_=_GROUPLENS),
        _grouplens("ml-20m", "MovieLens 20M", "movielens_csv", csv),
        _grouplens("ml-25m", "MovieLens 25M", "movielens_csv", csv),
        _grouplens("ml-32m", "MovieLens 32M", "movielens_csv", csv),
    )


def _grouplens(
    name: str,
    title: str,
    reader: str,
    contents: tuple[SourceFile, ...],
    *,
    license_: str = _GROUPLENS_SHARED,
    sha256: str | None = None,
    size: int | None = None,
) -> Source:
    return Source(
        name=name,
        title=title,
        files=(SourceFile(name=f"{name}.zip", url=f"{_MOVIELENS}/{name}.zip", sha256=sha256, size=size),),
        contents=contents,
        read=f"{_READERS}{reader}",
        license=license_,
        citation=_HARPER,
        homepage="https://grouplens.org/datasets/movielens/",
    )


def _others() -> tuple[Source, ...]:
    return (
        Source(
            name="spectralcf-ml-1m",
            title="MovieLens 1M in the split of SpectralCF",
            files=(
                SourceFile(
                    name="train_users.dat",
                    sha256="ee6cf59160f3cde155416941ac42890f79accd9cf7f1ac5496ee194db49687bb",
                    size=761460,
                ),
                SourceFile(
                    name="test_users.dat",
                    sha256="b114c7c87a94462399b02e4f59f05e91b690a9091adea83dd8efcfd3e03b67ee",
                    size=217824,
                ),
            ),
            read=f"{_READERS}spectralcf_ml_1m",
            license=f"derived from MovieLens 1M; {_GROUPLENS}",
            citation=(
                "Lei Zheng, Chun-Ta Lu, Fei Jiang, Jiawei Zhang and Philip S. Yu. Spectral Collaborative Filtering. "
                f"RecSys 2018. And for the data: {_HARPER}"
            ),
            homepage="https://github.com/lzheng21/SpectralCF",
        ),
        Source(
            name="lastfm-2k",
            title="Last.fm of HetRec 2011",
            files=(
                SourceFile(
                    name="hetrec2011-lastfm-2k.zip",
                    url="https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
                ),
            ),
            contents=(SourceFile(name="user_artists.dat"), SourceFile(name="artists.dat")),
            read=f"{_READERS}lastfm_2k",
            license="non-commercial use; see the readme that comes with it",
            citation=(
                "Ivan Cantador, Peter Brusilovsky and Tsvi Kuflik. 2nd Workshop on Information Heterogeneity and "
                "Fusion in Recommender Systems (HetRec 2011). RecSys 2011. And Last.fm, https://www.last.fm"
            ),
            homepage="https://grouplens.org/datasets/hetrec-2011/",
        ),
        Source(
            name="lastfm-360k",
            title="Last.fm 360K users",
            files=(
                SourceFile(
                    name="lastfm-dataset-360K.tar.gz",
                    url="https://zenodo.org/records/6090214/files/lastfm-dataset-360K.tar.gz",
                ),
            ),
            contents=(
                SourceFile(name="usersha1-artmbid-artname-plays.tsv"),
                SourceFile(name="usersha1-profile.tsv"),
            ),
            read=f"{_READERS}lastfm_360k",
            license="non-commercial use, with permission of Last.fm; see the readme that comes with it",
            citation="Oscar Celma. Music Recommendation and Discovery in the Long Tail. Springer, 2010",
            homepage="https://zenodo.org/records/6090214",
        ),
        Source(
            name="gowalla",
            title="Gowalla check-ins",
            files=(
                SourceFile(
                    name="loc-gowalla_totalCheckins.txt.gz",
                    url="https://snap.stanford.edu/data/loc-gowalla_totalCheckins.txt.gz",
                ),
            ),
            read=f"{_READERS}gowalla",
            license=_UNSTATED,
            citation=(
                "Eunjoon Cho, Seth A. Myers and Jure Leskovec. Friendship and Mobility: User Movement in "
                "Location-Based Social Networks. KDD 2011"
            ),
            homepage="https://snap.stanford.edu/data/loc-Gowalla.html",
        ),
        Source(
            name="book-crossing",
            title="Book-Crossing, explicit ratings",
            files=(
                SourceFile(
                    name="BX-CSV-Dump.zip",
                    url="http://www2.informatik.uni-freiburg.de/~cziegler/BX/BX-CSV-Dump.zip",
                ),
            ),
            contents=tuple(SourceFile(name=f"BX-{part}.csv") for part in ("Book-Ratings", "Books", "Users")),
            read=f"{_READERS}book_crossing",
            license=_UNSTATED,
            citation=(
                "Cai-Nicolas Ziegler, Sean M. McNee, Joseph A. Konstan and Georg Lausen. Improving Recommendation "
                "Lists Through Topic Diversification. WWW 2005. https://doi.org/10.1145/1060745.1060754"
            ),
            homepage="http://www2.informatik.uni-freiburg.de/~cziegler/BX/",
        ),
        Source(
            name="goodbooks-10k",
            title="Goodbooks 10k",
            files=tuple(
                SourceFile(
                    name=f"{part}.csv",
                    url=f"https://raw.githubusercontent.com/zygmuntz/goodbooks-10k/master/{part}.csv",
                )
                for part in ("ratings", "books")
            ),
            read=f"{_READERS}goodbooks",
            license="see the file LICENSE at its homepage",
            citation="Zygmunt Zajac. Goodbooks-10k: a new dataset for book recommendations. FastML, 2017",
            homepage="https://github.com/zygmuntz/goodbooks-10k",
        ),
        Source(
            name="steam",
            title="Steam reviews",
            files=(
                SourceFile(name="steam_reviews.json.gz", url="https://cseweb.ucsd.edu/~wckang/steam_reviews.json.gz"),
            ),
            read=f"{_READERS}steam",
            license=_UNSTATED,
            citation="Wang-Cheng Kang and Julian McAuley. Self-Attentive Sequential Recommendation. ICDM 2018",
            homepage="https://cseweb.ucsd.edu/~jmcauley/datasets.html",
        ),
        Source(
            name="yelp",
            title="Yelp Open Dataset, reviews",
            files=(SourceFile(name="yelp_dataset.tar"),),
            contents=tuple(SourceFile(name=f"yelp_academic_dataset_{part}.json") for part in ("review", "business")),
            read=f"{_READERS}yelp",
            license="Yelp's terms for its dataset, to be agreed to in a form: academic use, no redistribution",
            citation="Yelp Open Dataset, Yelp Inc.",
            homepage="https://www.yelp.com/dataset",
        ),
    )


def _amazon_2014() -> tuple[Source, ...]:
    categories = ("Beauty", "Books", "CDs_and_Vinyl", "Electronics", "Movies_and_TV", "Video_Games")
    return tuple(
        Source(
            name=f"amazon-2014-{_slug(category)}",
            title=f"Amazon ratings until 2014, {category.replace('_', ' ')}",
            files=(
                SourceFile(
                    name=f"ratings_{category}.csv",
                    url=f"https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/ratings_{category}.csv",
                ),
            ),
            read=f"{_READERS}amazon_2014",
            license=_UNSTATED,
            citation=(
                "Julian McAuley, Christopher Targett, Qinfeng Shi and Anton van den Hengel. Image-based "
                "Recommendations on Styles and Substitutes. SIGIR 2015"
            ),
            homepage="https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html",
        )
        for category in categories
    )


def _amazon_2023() -> tuple[Source, ...]:
    categories = ("Beauty_and_Personal_Care", "Books", "Musical_Instruments", "Toys_and_Games", "Video_Games")
    place = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/benchmark/5core/rating_only"
    return tuple(
        Source(
            name=f"amazon-2023-{_slug(category)}",
            title=f"Amazon ratings until 2023, {category.replace('_', ' ')}, the owners' 5-core",
            files=(SourceFile(name=f"{category}.csv.gz", url=f"{place}/{category}.csv.gz"),),
            read=f"{_READERS}amazon_2023",
            license=_UNSTATED,
            citation=(
                "Yupeng Hou, Jiacheng Li, Zhankui He, An Yan, Xiusi Chen and Julian McAuley. Bridging Language and "
                "Items for Retrieval and Recommendation. arXiv:2403.03952, 2024"
            ),
            homepage="https://amazon-reviews-2023.github.io/",
        )
        for category in categories
    )


def _slug(category: str) -> str:
    return category.lower().replace("_", "-")


_SUMS_100K = {
    "u.data": ("06416e597f82b7342361e41163890c81036900f418ad91315590814211dca490", 1979173),
    "u.user": ("f120e114da2e8cf314fd28f99417c94ae9ddf1cb6db8ce0e4b5995d40e90e62c", 22628),
    "u.item": ("553841ebc7de3a0fd0d6b62a204ea30c1e651aacfb2814c7a6584ac52f2c5701", 236344),
    "u.genre": ("9757e0d3e6b298159a80dd48eaf938114690e911e39af97a76949ef1663610bb", 202),
    "u1.base": ("ce253ec86c448b44fb3ba9a30d12dcfc2e9210cbde71efada3730c22e9ac212a", 1586544),
    "u1.test": ("18c6014a4b2c7324f250a63f8904a7b16b2b19f911129e346141507b0cbac950", 392629),
    "u2.base": ("6c06f0b5df4b256da1a994f3ac66edc8da4d3f09bc9282df6b14d893366d703e", 1583948),
    "u2.test": ("4de658d1e04ed9104629509a2e2528fce833ac8e048280183f1df167632038c3", 395225),
    "u3.base": ("afdc155c291c6edc41c0407e39d7462eb98d341e064f0b0a12175b80b3c4af5d", 1582546),
    "u3.test": ("0f548b51c78327de4c156461d3e430b7e5579fe2b5681586a59416e48fd35f6d", 396627),
    "u4.base": ("219f0f4d40dfe9c5141d425f53fa91ee23ed275f14e280bbf1b50117afb064ca", 1581878),
    "u4.test": ("7c02ad0a1e7ab1083c8b9d4b627203a051dd7b5eab46d99fa44de33470de8db9", 397295),
    "u5.base": ("a9574e59ce961eec2121627760b6e9b0974ce1637b3fe69ac32cb14a4bfab485", 1581776),
    "u5.test": ("351cc52e0d15b6c721466276fc24671d40936899e3d01fadeaf312915b8c5634", 397397),
    "ua.base": ("67b5bcdb380c29f85d56a012ecd88612ae020f30a6730d117a334ee8203b91f2", 1792501),
    "ua.test": ("d0497e202417720f57a184ec8c66be2d1afa4ff41bb53787c57b28d6bf79bc42", 186672),
    "ub.base": ("237254d253b6ad7de84f919d041055428646254f34ed8f562703c899430cd881", 1792476),
    "ub.test": ("d54a72d05730d5892062734b2bec73e976f9b713d18c828a18b968d6cce442da", 186697),
}
_CONTENTS_100K = tuple(SourceFile(name=name, sha256=sha256, size=size) for name, (sha256, size) in _SUMS_100K.items())
