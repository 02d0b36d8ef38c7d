"""MTCNN as the package mtcnn stores it: weights in joblib files."""
