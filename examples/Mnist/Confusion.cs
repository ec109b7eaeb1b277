using System.Numerics.Tensors;
using Spectre.Console;

namespace MiniCnn.Examples.Mnist;

/// <summary>How often each digit was read as which.</summary>
sealed class Confusion
{
    readonly int[,] counts = new int[10, 10];

    public static Confusion Of(Sequential model, LabeledImages images)
    {
        Confusion confusion = new();
        foreach ((Tensor<float> batch, int[] labels) in images.Batches(500))
        {
            int[] read = Read(model.Forward(batch));
            for (int n = 0; n < labels.Length; n++)
                confusion.counts[labels[n], read[n]]++;
        }
        return confusion;
    }

    /// <summary>How many of a batch are read as what they are.</summary>
    public static int Right(Tensor<float> logits, int[] labels) => Read(logits).Zip(labels).Count(pair => pair.First == pair.Second);

    int All => counts.Cast<int>().Sum();

    int RightOnes => Enumerable.Range(0, 10).Sum(digit => counts[digit, digit]);

    public double Accuracy => (double)RightOnes / All;

    /// <summary>“98.73 % (9873 of 10000)”.</summary>
    public override string ToString() => $"{100 * Accuracy:F2} % ({RightOnes} of {All})";

    public void Print()
    {
        Table table = new Table().Border(TableBorder.Minimal).AddColumn("is \\ read as");
        for (int read = 0; read < 10; read++)
            table.AddColumn(new TableColumn($"{read}").RightAligned());
        for (int digit = 0; digit < 10; digit++)
            table.AddRow([$"{digit}", .. Enumerable.Range(0, 10).Select(read => counts[digit, read] is > 0 and int n ? $"{n}" : "·")]);
        AnsiConsole.Write(table);
    }

    /// <summary>The place of the largest logit of each image.</summary>
    static int[] Read(Tensor<float> logits)
    {
        int classes = (int)logits.Lengths[1];
        float[] values = new float[logits.FlattenedLength];
        logits.FlattenTo(values);
        return [.. values.Chunk(classes).Select(image => TensorPrimitives.IndexOfMax<float>(image))];
    }
}
