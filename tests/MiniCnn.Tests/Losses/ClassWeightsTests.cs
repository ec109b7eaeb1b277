namespace MiniCnn.Tests;

public sealed class ClassWeightsTests
{
    [Fact]
    public void They_balance_as_scikit_learns_do()
    {
        // compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 1, 1, 2, 2, 2, 2, 2]): 8 / (3 · 1), 8 / (3 · 2), 8 / (3 · 5).
        int[] labels = [2, 1, 2, 0, 2, 1, 2, 2];
        Assert.Equal([(float)(8 / 3.0), (float)(8 / 6.0), (float)(8 / 15.0)], ClassWeights.Balanced(labels, 3));
        Assert.Equal(ClassWeights.Balanced(labels, 3), ClassWeights.Balanced(new LabeledImages(new byte[8], labels, new(1, 1, 1), 3)));
        Assert.Equal([1, 1], ClassWeights.Balanced([1, 0, 0, 1], 2));
    }

    [Fact]
    public void A_class_without_images_is_named()
    {
        LabeledImages images = new(new byte[2], [0, 2], new(1, 1, 1), 3, classNames: ["ok", "dent", "scratch"]);
        Assert.StartsWith(
            "class 1, 'dent' has no labels, so it has no balanced weight", Assert.Throws<ArgumentException>(() => ClassWeights.Balanced(images)).Message,
            StringComparison.Ordinal);
        Assert.Contains("class 2 has no labels", Assert.Throws<ArgumentException>(() => ClassWeights.Balanced([0, 1], 3)).Message, StringComparison.Ordinal);
        Assert.Contains("label 1 is 3; with 3 classes", Assert.Throws<ArgumentException>(() => ClassWeights.Balanced([0, 3], 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => ClassWeights.Balanced(null!));
    }
}
