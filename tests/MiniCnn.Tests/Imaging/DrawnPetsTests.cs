using MiniCnn.Examples.CatsVsDogs;

namespace MiniCnn.Tests;

public sealed class DrawnPetsTests
{
    [Fact]
    public void A_pet_is_a_function_of_its_seed_and_index_alone()
    {
        LabeledImages many = DrawnPets.Draw(24, 32, seed: 5), few = DrawnPets.Draw(7, 32, seed: 5);
        Assert.Equal((24, new ImageShape(3, 32, 32), 2), (many.Count, many.Shape, many.Classes));
        Assert.Equal(["cat", "dog"], many.ClassNames);
        Assert.Equal([0, 1, 0, 1, 0, 1, 0], few.Labels.ToArray());
        Assert.Equal(few.Pixels.ToArray(), many.Pixels[..few.Pixels.Length].ToArray());
        Assert.Equal(24, Enumerable.Range(0, 24).Select(i => Convert.ToHexString(many.Image(i))).Distinct().Count());
        Assert.NotEqual(few.Pixels.ToArray(), DrawnPets.Draw(7, 32, seed: 6).Pixels.ToArray());
        Assert.Equal(0, DrawnPets.Draw(0, 32, seed: 5).Count);
    }

    [Fact]
    public void No_colour_and_no_brightness_tells_cats_from_dogs()
    {
        // The mean colours of the one and the other differ by little of how much they spread: no threshold on one does much better than a coin.
        LabeledImages pets = DrawnPets.Draw(600, 32, seed: 1);
        for (int channel = 0; channel < 3; channel++)
        {
            double[] means = [.. Enumerable.Range(0, 600).Select(i => Mean(pets.Image(i).Slice(channel * 1024, 1024)))];
            double[] cats = [.. means.Where((_, i) => i % 2 == 0)], dogs = [.. means.Where((_, i) => i % 2 == 1)];
            double best = means.Max(limit => Math.Abs(cats.Count(m => m < limit) - dogs.Count(m => m < limit)) / 600.0);
            Assert.InRange(best, 0, 0.1);
        }

        static double Mean(ReadOnlySpan<byte> pixels)
        {
            double sum = 0;
            foreach (byte pixel in pixels)
                sum += pixel;
            return sum / pixels.Length;
        }
    }

    [Fact]
    public void A_small_network_tells_them_apart_by_their_shapes()
    {
        LabeledImages train = DrawnPets.Draw(800, 32, seed: 1), test = DrawnPets.Draw(300, 32, seed: 2);
        Sequential model = new(
            new Conv2d(3, 8, 5, padding: 2), new ReLU(), new MaxPool2d(2), new Conv2d(8, 16, 3, padding: 1), new ReLU(), new MaxPool2d(2),
            new Conv2d(16, 16, 3, padding: 1), new ReLU(), new MaxPool2d(2), new Flatten(), new Linear(256, 2));
        model.Initialize(3);
        CrossEntropyLoss loss = new();
        Sgd optimizer = new(model.Parameters, learningRate: 0.03f, momentum: 0.9f);
        for (int epoch = 0; epoch < 12; epoch++)
            foreach (Batch batch in train.Batches(32, seed: epoch))
            {
                loss.Forward(model.Forward(batch.Images, training: true), batch.Labels);
                model.Backward(loss.Backward());
                optimizer.Step();
                optimizer.ZeroGrad();
            }
        Batch all = test.Batches(300).Single();
        float[] logits = model.Forward(all.Images).AsSpan().ToArray();
        int right = all.Labels.Where((label, i) => logits[2 * i + 1] > logits[2 * i] == (label == 1)).Count();
        Assert.InRange(right, 240, 300);
    }
}
