namespace MiniCnn.Tests;

/// <summary>Published data sets. The environment variable MINICNN_DATASETS names the folder that holds them.</summary>
static class PublishedData
{
    /// <summary>Whether a data set is on this machine.</summary>
    public static bool Has(string name) => Directory.Exists(Datasets.Locate(name));
}
