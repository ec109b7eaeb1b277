namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>What a classifier makes of each photo of a set.</summary>
sealed class Scores
{
    readonly LabeledImages photos;
    readonly Prediction[] predictions;

    Scores(LabeledImages photos, Prediction[] predictions) => (this.photos, this.predictions) = (photos, predictions);

    public static Scores Of(PetClassifier classifier, LabeledImages photos) =>
        new(photos, [.. photos.Batches(100).SelectMany(batch => classifier.Predictor.Predict(batch.Images))]);

    /// <summary>The class that a photo is taken for.</summary>
    public int Guess(int photo) => predictions[photo].Label;

    /// <summary>How sure that guess is.</summary>
    public float Probability(int photo) => predictions[photo].Probability;

    public int Count(int label) => photos.Labels.Count(label);

    public int Right(int label) => Enumerable.Range(0, photos.Count).Count(photo => photos.Labels[photo] == label && Guess(photo) == label);

    /// <summary>Photos that are read right, or wrong, the surest first.</summary>
    public IEnumerable<int> Surest(bool right) => Enumerable.Range(0, photos.Count)
        .Where(photo => Guess(photo) == photos.Labels[photo] == right).OrderByDescending(Probability).ThenBy(photo => photo);

    /// <summary>“81.20 % (812 of 1000)”.</summary>
    public override string ToString()
    {
        int right = Enumerable.Range(0, photos.Classes).Sum(Right);
        return $"{100.0 * right / photos.Count:F2} % ({right} of {photos.Count})";
    }
}
