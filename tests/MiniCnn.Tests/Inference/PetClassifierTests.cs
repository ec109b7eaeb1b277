using System.Numerics.Tensors;
using MiniCnn.Examples.CatsVsDogs;
using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Tests;

/// <summary>The classifier of examples/CatsVsDogs: its predictions and its activation maps.</summary>
public sealed class PetClassifierTests : FolderTests
{
    string ModelPath => PathOf("model.safetensors");

    [Fact]
    public void The_mean_of_an_activation_map_is_the_logit_without_its_bias()
    {
        (ImageClassifier model, Picture photo) = (Trained(), Photo(40, 30));
        Tensor<float> x = model.ToInput(photo), logits = model.Network.Forward(x), bias = ((Linear)((Sequential)model.Network).Layers[^1]).Bias!.Value;
        for (int label = 0; label < 2; label++)
        {
            float[,] map = PetNetwork.ActivationMap(model, x, label);
            Assert.Equal((4, 4), (map.GetLength(0), map.GetLength(1)));
            double mean = map.Cast<float>().Average(value => (double)value), size = map.Cast<float>().Average(value => Math.Abs((double)value));
            Assert.Equal(logits[0, label] - bias[label], mean, 1e-4 * size);
        }
        Assert.NotEqual(PetNetwork.ActivationMap(model, x, 0).Cast<float>(), PetNetwork.ActivationMap(model, x, 1).Cast<float>());
    }

    /// <summary>Before a mean over 4×4 pixels, the slope of the logit by a pixel is a sixteenth of the weight of the linear layer.</summary>
    [Fact]
    public void Grad_CAM_is_what_of_the_activation_map_speaks_for_the_class()
    {
        ImageClassifier model = Trained();
        Tensor<float> x = model.ToInput(Photo(40, 30));
        float most = 0;
        for (int label = 0; label < 2; label++)
        {
            float[] expected = [.. PetNetwork.ActivationMap(model, x, label).Cast<float>().Select(value => Math.Max(value, 0) / 16)];
            float[] found = [.. Looking.GradCam(model.Network, x, label)!.Cast<float>()];
            most = Math.Max(most, expected.Max());
            for (int i = 0; i < 16; i++)
                Assert.Equal(expected[i], found[i], 1e-5 * expected.Max());
        }
        Assert.True(most > 0);
        Assert.All(model.Network.Parameters, p => Assert.True(p.Trainable));
    }

    /// <summary>Compares with differences of the logit, in double.</summary>
    [Fact]
    public void A_saliency_map_is_the_largest_slope_of_the_logit_at_each_pixel_and_moves_nothing()
    {
        ImageClassifier model = Trained();
        model.Save(ModelPath);
        byte[] before = File.ReadAllBytes(ModelPath);
        Tensor<float> pet = DrawnPets.Draw(2, 32, seed: 9).WithNormalization(model.Mean, model.Std).Batches(1).First().Images;
        double[] x = Array.ConvertAll(pet.AsSpan().ToArray(), value => (double)value);
        float[,] map = Looking.Saliency(model.Network, pet, 1), other = Looking.Saliency(model.Network, pet, 0);
        Assert.Equal((32, 32), (map.GetLength(0), map.GetLength(1)));
        Assert.NotEqual(map.Cast<float>(), other.Cast<float>());
        model.Save(ModelPath);
        Assert.Equal(before, File.ReadAllBytes(ModelPath));

        float[] values = [.. map.Cast<float>()];
        foreach (Parameter p in model.Network.Parameters)
            p.BeginCheck();
        ScalarRun<double> network = new(model.Network, 1, new(3, 32, 32), training: false);
        foreach (int pixel in (int[])[.. Enumerable.Range(0, 1024).OrderByDescending(i => values[i]).Take(5), 0, 31, 500, 1000])
        {
            double slope = Enumerable.Range(0, 3).Max(c => Math.Abs(Logit(c * 1024 + pixel, 1e-5) - Logit(c * 1024 + pixel, -1e-5)) / 2e-5);
            Assert.Equal(slope, values[pixel], 1152 * Math.ScaleB(1, -24) * values.Max());           // the longest sum has 128 channels of 3×3
        }
        foreach (Parameter p in model.Network.Parameters)
            p.EndCheck();

        double Logit(int at, double step)
        {
            double here = x[at];
            x[at] += step;
            double logit = network.Forward(x)[1];
            x[at] = here;
            return logit;
        }
    }

    [Fact]
    public void A_photo_is_read_as_the_photos_of_the_training_are()
    {
        ImageClassifier model = Trained();
        Picture photo = Photo(40, 30), small = photo.Resize(32, 32);
        byte[] planes = new byte[3 * 32 * 32];
        for (int i = 0; i < planes.Length; i++)
            planes[i] = small.Pixels[i % 1024 * 3 + i / 1024];
        LabeledImages one = new(planes, [0], new ImageShape(3, 32, 32), 2, model.Mean.ToArray(), model.Std.ToArray());
        Assert.Equal(one.Batches(1).Single().Images.AsSpan().ToArray(), model.ToInput(photo).AsSpan().ToArray());
    }

    [Fact]
    public void The_file_is_all_it_takes()
    {
        (ImageClassifier saved, Picture photo) = (Trained(), Photo(20, 50));
        saved.Save(ModelPath);
        ImageClassifier loaded = ImageClassifier.Load(ModelPath);
        Assert.Equal((new ImageShape(3, 32, 32), "cat", "dog"), (loaded.Input, loaded.ClassNames[0], loaded.ClassNames[1]));
        Prediction prediction = loaded.CreatePredictor().Predict(photo);
        Assert.Equal(saved.CreatePredictor().Predict(photo).Probabilities, prediction.Probabilities);
        Assert.Equal(1, prediction.Probabilities.Sum(), 1e-6);
        Assert.Equal(PetNetwork.ActivationMap(saved, saved.ToInput(photo), 1), PetNetwork.ActivationMap(loaded, loaded.ToInput(photo), 1));
    }

    /// <summary>A classifier after one training step, so its running statistics are not the initial ones.</summary>
    static ImageClassifier Trained()
    {
        LabeledImages pets = DrawnPets.Draw(8, 32, seed: 3);
        (float[] mean, float[] std) = pets.MeanAndStd();
        pets = pets.WithNormalization(mean, std);
        Sequential network = PetNetwork.Build(size: 32, pets.Classes);
        network.Initialize(seed: 1);
        for (int step = 0; step < 20; step++)
            network.Forward(pets.Batches(8).Single().Images, training: true);
        return new(network, pets);
    }

    static Picture Photo(int width, int height)
    {
        Picture picture = new(width, height);
        new Random(width).NextBytes(picture.Pixels);
        return picture;
    }
}
