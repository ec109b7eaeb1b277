using System.Numerics.Tensors;
using MiniCnn.Imaging;
using MiniCnn.Reports;

namespace MiniCnn.Examples.CatsVsDogs;

/// <summary>Classifies photos with a saved model.</summary>
static class PetPrediction
{
    const double LargestSide = 400;             // pixels of the photo in the drawing

    /// <summary>Prints the class of each file in a folder, as comma-separated values.</summary>
    public static void PrintFolder(ImageClassifier model, string folder)
    {
        using CtrlC stop = new();
        IEnumerable<FilePrediction> files = model.CreatePredictor().PredictFolder(folder, new ConsoleProgress(toError: true), stop.Token);
        Console.WriteLine(FilePrediction.CsvHeader);
        foreach (FilePrediction file in files)
            Console.WriteLine(file.ToCsv());
    }

    /// <summary>Prints the class of a photo, and draws the photo next to its class activation map.</summary>
    public static void Print(ImageClassifier model, string path, string drawing)
    {
        Picture photo = Picture.Load(path);
        Tensor<float> x = model.ToInput(photo);
        Prediction prediction = model.CreatePredictor().Predict(x)[0];
        string found = $"{prediction.ClassName} ({100 * prediction.Probability:F1} %)";

        double scale = Math.Min(1, LargestSide / Math.Max(photo.Width, photo.Height));
        photo = photo.Resize((int)Math.Ceiling(scale * photo.Width), (int)Math.Ceiling(scale * photo.Height));
        Picture map = HeatMap.Over(photo, PetNetwork.ActivationMap(model, x, prediction.Label));
        ContactSheet.Draw([(Path.GetFileName(path), photo), (found, map)], columns: 2).Save(drawing);
        Console.WriteLine($"where it looked: {drawing}");
        Console.WriteLine($"{path}: {found}");
    }
}
