using System.Numerics.Tensors;
using MiniCnn.Examples.CatsVsDogs;
using MiniCnn.Imaging;

namespace MiniCnn.Tests;

/// <summary>The classifier of examples/CatsVsDogs: what it makes of a photo, and where it looks.</summary>
public sealed class PetClassifierTests : IDisposable
{
    readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Fact]
    public void The_mean_of_an_activation_map_is_the_logit_without_its_bias()
    {
        (PetClassifier classifier, Picture photo) = (Trained(), Photo(40, 30));
        Tensor<float> x = classifier.Model.ToInput(photo), logits = classifier.Network.Forward(x), bias = ((Linear)classifier.Network.Layers[^1]).Bias!.Value;
        for (int label = 0; label < 2; label++)
        {
            float[,] map = classifier.ActivationMap(x, label);
            Assert.Equal((4, 4), (map.GetLength(0), map.GetLength(1)));
            double mean = map.Cast<float>().Average(value => (double)value), size = map.Cast<float>().Average(value => Math.Abs((double)value));
            Assert.Equal(logits[0, label] - bias[label], mean, 1e-4 * size);
        }
        Assert.NotEqual(classifier.ActivationMap(x, 0).Cast<float>(), classifier.ActivationMap(x, 1).Cast<float>());
    }

    [Fact]
    public void A_photo_is_read_as_the_photos_of_the_training_are()
    {
        PetClassifier classifier = Trained();
        Picture photo = Photo(40, 30), small = photo.Resize(32, 32);
        byte[] planes = new byte[3 * 32 * 32];
        for (int i = 0; i < planes.Length; i++)
            planes[i] = small.Pixels[i % 1024 * 3 + i / 1024];
        LabeledImages one = new(planes, [0], new ImageShape(3, 32, 32), 2, classifier.Model.Mean.ToArray(), classifier.Model.Std.ToArray());
        Assert.Equal(one.Batches(1).Single().Images.AsSpan().ToArray(), classifier.Model.ToInput(photo).AsSpan().ToArray());
    }

    [Fact]
    public void The_file_is_all_it_takes()
    {
        (PetClassifier saved, Picture photo) = (Trained(), Photo(20, 50));
        saved.Model.Save(path);
        PetClassifier loaded = PetClassifier.Load(path);
        Assert.Equal((new ImageShape(3, 32, 32), "cat", "dog"), (loaded.Model.Input, loaded.Model.ClassNames[0], loaded.Model.ClassNames[1]));
        Prediction prediction = loaded.Predictor.Predict(photo);
        Assert.Equal(saved.Predictor.Predict(photo).Probabilities, prediction.Probabilities);
        Assert.Equal(1, prediction.Probabilities.Sum(), 1e-6);
        Assert.Equal(saved.ActivationMap(saved.Model.ToInput(photo), 1), loaded.ActivationMap(loaded.Model.ToInput(photo), 1));
    }

    /// <summary>A classifier after a step, so that its batch norms have seen something.</summary>
    static PetClassifier Trained()
    {
        LabeledImages pets = DrawnPets.Draw(8, 32, seed: 3);
        (float[] mean, float[] std) = pets.MeanAndStd();
        PetClassifier classifier = PetClassifier.Create(pets.WithNormalization(mean, std), seed: 1);
        for (int step = 0; step < 20; step++)
            classifier.Network.Forward(pets.WithNormalization(mean, std).Batches(8).Single().Images, training: true);
        return classifier;
    }

    static Picture Photo(int width, int height)
    {
        Picture picture = new(width, height);
        new Random(width).NextBytes(picture.Pixels);
        return picture;
    }
}
