namespace MiniCnn.Tests;

public sealed class DatasetsTests : FolderTests
{
    [Fact]
    public void A_given_folder_comes_before_the_environment_before_the_repository()
    {
        string repository = PathOf("repository"), elsewhere = PathOf("elsewhere");
        string program = Path.Combine(repository, "examples", "bin");
        Directory.CreateDirectory(program);
        Directory.CreateDirectory(elsewhere);
        File.WriteAllText(Path.Combine(repository, "MiniCnn.sln"), "");
        string inRepository = Path.Combine(repository, "datasets", "mnist");

        Assert.Equal(("given", true), Datasets.Find("mnist", "given", "sets", program, elsewhere));
        Assert.Equal((Path.Combine("sets", "mnist"), true), Datasets.Find("mnist", null, "sets", program, elsewhere));
        Assert.Equal((inRepository, false), Datasets.Find("mnist", null, null, program, elsewhere));
        Assert.Equal((inRepository, false), Datasets.Find("mnist", null, "", program + Path.DirectorySeparatorChar, elsewhere));
        Assert.Equal((inRepository, false), Datasets.Find("mnist", null, null, elsewhere, program));
        Assert.Equal((Path.Combine(elsewhere, "datasets", "mnist"), false), Datasets.Find("mnist", null, null, folder, elsewhere));
        File.WriteAllText(Path.Combine(elsewhere, "MiniCnn.sln"), "");
        Assert.Equal((inRepository, false), Datasets.Find("mnist", null, null, program, elsewhere));
    }

    [Fact]
    public void A_set_has_the_same_place_for_everybody()
    {
        Assert.Equal("given", Datasets.Locate("cats-vs-dogs", "given"));
        Assert.Equal(Datasets.Find("any", null).Folder, Datasets.Locate("any"));
        Assert.EndsWith(Path.DirectorySeparatorChar + "any", Datasets.Locate("any"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_set_that_is_not_listed_is_named_with_those_that_are()
    {
        var e = await Assert.ThrowsAsync<ArgumentException>(() => Datasets.DownloadAsync("dogs", folder));
        Assert.StartsWith("there is no data set “dogs” to download; the data sets are mnist, fashion-mnist, cifar10, cats-vs-dogs", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_there_is_not_downloaded_again()
    {
        Directory.CreateDirectory(PathOf("PetImages"));
        await Datasets.DownloadAsync("cats-vs-dogs", folder, new Never());
        Assert.Equal([PathOf("PetImages")], Directory.GetFileSystemEntries(folder));
    }

    sealed class Never : IProgress<(string, long, long)>
    {
        public void Report((string, long, long) value) => Assert.Fail($"{value} came");
    }

    [Fact]
    public async Task A_cancelled_download_is_not_begun() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Datasets.DownloadAsync("cifar10", folder, cancellationToken: new CancellationToken(canceled: true)));
}
