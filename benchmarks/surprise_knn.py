"""User-kNN ratings from file to RMSE with Surprise alone: python benchmarks/surprise_knn.py FILE"""

from __future__ import annotations

import sys


def main() -> None:
    from surprise import Dataset, KNNBasic, Reader, accuracy
    from surprise.model_selection import train_test_split

    reader = Reader(line_format="user item rating timestamp", sep="\t")
    train, test = train_test_split(Dataset.load_from_file(sys.argv[1], reader), test_size=0.2, random_state=42)
    algorithm = KNNBasic(k=40, min_k=1, sim_options={"name": "msd", "user_based": True}, verbose=False)
    accuracy.rmse(algorithm.fit(train).test(test))


if __name__ == "__main__":
    main()
