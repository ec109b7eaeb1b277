using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class ImageSplitsTests : PhotoFolderTests
{
    static int[][] Counts(params ImageFolder?[] parts) =>
        [.. parts.Select(part => Enumerable.Range(0, part!.ClassNames.Count).Select(label => part.Files.Count(file => file.Label == label)).ToArray())];

    void Many(string folder, int count)
    {
        for (int i = 0; i < count; i++)
            Photo($"{folder}/{i}.png", red: (byte)(200 * i / count), green: (byte)folder.Length);
    }

    [Theory]
    [InlineData("train", "val", "test")]
    [InlineData("Train", "VALID", "testing")]
    [InlineData("training", "validation", "Test")]
    [InlineData("inside/train", "inside/dev", "inside/test")]
    [InlineData("training_set", "dev-data", "test1")]
    [InlineData("seg_train", "seg_val", "seg_test")]
    public void Folders_named_so_are_parts_and_no_classes(string train, string validation, string test)
    {
        Photos($"{train}/b/1.png", $"{train}/a/1.png", $"{train}/a/2.png", $"{validation}/a/1.png", $"{validation}/b/x/1.png");
        Photos($"{test}/a.0.png", $"{test}/b.1.png");
        ImageSplits splits = new(root);
        Assert.Equal([[2, 1], [1, 1], [1, 1]], Counts(splits.Train, splits.Validation, splits.Test));
        Assert.Equal(At(train), splits.Train.Root);
        string message = Assert.Throws<InvalidDataException>(() => new ImageFolder(root)).Message;
        Assert.Contains("expected class folders, found the parts of a data set, ", message, StringComparison.Ordinal);
        Assert.Equal(["a", "b"], new ImageFolder(At(train)).ClassNames);
    }

    [Fact]
    public void A_part_that_is_missing_is_split_off()
    {
        Many("set/train/a", 20);
        Many("set/train/b", 10);
        Check([16, 8], [2, 1], [2, 1]);
        Many("set/val/a", 3);
        Many("set/val/b", 5);
        Check([18, 9], [3, 5], [2, 1]);
        Many("set/test/a", 4);
        Many("set/test/b", 6);
        Check([20, 10], [3, 5], [4, 6]);
        Directory.Delete(At("set/val"), recursive: true);
        Check([18, 9], [2, 1], [4, 6]);

        Many("whole/b", 50);
        Many("whole/a", 20);
        ImageSplits whole = new(At("whole"), validation: 0.2, test: 0.3, seed: 1), other = new(At("whole"), validation: 0.2, test: 0.3, seed: 2);
        Assert.Equal([[10, 25], [4, 10], [6, 15]], Counts(whole.Train, whole.Validation, whole.Test));
        ImageFile[] parts = [.. whole.Train.Files, .. whole.Validation!.Files, .. whole.Test!.Files];
        Assert.Equal(new ImageFolder(At("whole")).Files, parts.OrderBy(file => file.Label).ThenBy(file => file.Name, StringComparer.Ordinal));
        Assert.NotEqual(whole.Test.Files, other.Test!.Files);
        ImageSplits again = new(new ImageFolder(At("whole")), validation: 0.2, test: 0.3, seed: 1);
        Assert.Equal([whole.Train.Files, whole.Test.Files], [again.Train.Files, again.Test!.Files]);
        ImageSplits one = new(At("whole"), validation: 0.2, test: 0);
        Assert.Null(one.Test);
        Assert.Equal([[16, 40], [4, 10]], Counts(one.Train, one.Validation));
        Assert.Null(new ImageSplits(At("whole"), validation: 0, test: 0).Validation);
        foreach ((double validation, double test) in ((double, double)[])[(-0.1, 0), (0, -0.1), (0.5, 0.5), (1, 0), (double.NaN, 0)])
            Assert.Throws<ArgumentOutOfRangeException>(() => new ImageSplits(At("whole"), validation, test));

        void Check(int[] train, int[] validation, int[] test)
        {
            ImageSplits splits = new(At("set"));
            Assert.Equal([train, validation, test], Counts(splits.Train, splits.Validation, splits.Test));
            IEnumerable<string> files = new[] { splits.Train, splits.Validation!, splits.Test! }
                .SelectMany(part => part.Files.Select(file => Path.Combine(part.Root, file.Name)));
            Assert.Equal(train.Sum() + validation.Sum() + test.Sum(), files.Distinct().Count());
        }
    }

    [Fact]
    public void Classes_are_compared_by_name()
    {
        Photos("train/a/1.png", "train/b/1.png", "train/c/1.png", "val/a/1.png", "val/c/1.png", "val/c/2.png", "test/c/1.png", "test/b/1.png", "test/a/1.png");
        Refused($"{At("val")}: the class b of the training part is missing; allowEmpty: true treats it as empty");
        ImageSplits splits = new(root, allowEmpty: true);
        Assert.Equal([[1, 0, 2]], Counts(splits.Validation));
        Assert.Equal([0, 2, 2], splits.Load(2, 2).Validation!.Images.Labels);
        Photos("val/B/1.png", "val/b/1.png");
        Refused($"{At("val")}: the class B is not a class of the training part, a, b, c");
        Directory.Delete(At("val/B"), recursive: true);
        Photos("valid/a/1.png");
        Refused($"{root}: val and valid are the same part of the data set; remove or rename one");
        Directory.Delete(At("valid"), recursive: true);
        Directory.Delete(At("train"), recursive: true);
        const string WayOut = ", pass the folder of one part, or, if these are classes, use ImageFolder.FromNames(path, name => name.Split('/')[0])";
        Refused($"{root}: test and val are named as parts of a data set, but there is no folder train with classes: rename the training part{WayOut}");
        Photos("train/1.png", "train/2.png");
        Refused(
            $"{root}: test and train and val are named as parts of a data set, but there is no folder train with classes: rename the training part{WayOut}");
        Assert.Equal(["test", "train", "val"], ImageFolder.FromNames(root, name => name.Split('/')[0]).ClassNames);
        Photos("plane/1.png");
        Directory.Delete(At("test"), recursive: true);
        Directory.Delete(At("val"), recursive: true);
        Assert.Equal(["plane", "train"], new ImageFolder(root).ClassNames);                      // a train is a class beside a plane
        Photos("sample/1.jpg", "train/cat/1.jpg");
        Directory.Delete(At("plane"), recursive: true);
        Refused($"{root}: train is a part of a data set with classes, but sample is not a part: move it elsewhere{WayOut}");
        Photos("bullet_train/1.png", "trainer/1.png", "mytest/1.png");
        Directory.Delete(At("train"), recursive: true);
        Assert.Equal(["bullet_train", "mytest", "sample", "trainer"], new ImageFolder(root).ClassNames);

        void Refused(string fault) => Assert.Equal(fault, Assert.Throws<InvalidDataException>(() => new ImageSplits(root)).Message);
    }

    [Fact]
    public void What_lies_beside_parts_and_a_part_without_classes_are_told()
    {
        Many("train/a", 10);
        Many("train/b", 10);
        Photos("train/cover.png", "stray.png", "test/1.png", "test/2.png");
        Other("labels.csv", "");
        Directory.CreateDirectory(At("val"));
        ImageSplits splits = new(root, seed: 3);
        Assert.Equal([[8, 8], [1, 1], [1, 1]], Counts(splits.Train, splits.Validation, splits.Test));
        Assert.Equal(
            [
                new("labels.csv", "empty"), new("stray.png", "next to the folders of the parts"),
                new("test", "a part without classes; PredictFolder can predict them"),
                new("val", "a part without classes; PredictFolder can predict them"), new("cover.png", "next to the class folders"),
            ], splits.Load(2, 2).Train.Skipped);

        Photos("around/cover.png", "around/set/train/a/1.png", "around/set/train/b/1.png", "around/set/val/a/1.png", "around/set/val/b/1.png");
        splits = new(At("around"), test: 0);
        Assert.Equal([[1, 1], [1, 1]], Counts(splits.Train, splits.Validation));
        Assert.Equal([new("cover.png", "next to set, which has the classes")], splits.Train.Skipped);
        Photos("wrapped/set/a/1.png", "wrapped/set/b/1.png");
        Other("wrapped/readme.txt", "");
        Assert.Equal([new("readme.txt", "empty")], new ImageSplits(At("wrapped"), 0, 0).Train.Skipped);
    }

    [Fact]
    public void Parts_of_ones_own_have_the_classes_of_that_to_train_on()
    {
        Photos("all/cat/1.png", "all/cow/1.png", "all/dog/1.png", "all/dog/2.png", "own/dog/1.png", "own/cat/2.png", "other/wolf/1.png");
        ImageSplits splits = new ImageSplits(At("all"), 0, 0) with { Test = new ImageFolder(At("own")) };
        LoadedSplits photos = splits.Load(2, 2);
        Assert.Equal(["cat", "cow", "dog"], photos.Test!.Images.ClassNames);
        Assert.Equal([0, 2], photos.Test.Images.Labels);
        string message = Assert.Throws<InvalidDataException>(() => (splits with { Validation = new ImageFolder(At("other")) }).Load(2, 2)).Message;
        Assert.Equal($"{At("other")}: the class wolf is not a class of the training part, cat, cow, dog", message);
        Assert.Throws<ArgumentNullException>(() => splits with { Train = null! });
    }

    [Fact]
    public void A_class_of_one_picture_leaves_nothing_to_split_off()
    {
        Photos("a/1.png", "b/1.png");
        string message = Assert.Throws<InvalidDataException>(() => new ImageSplits(root).Load(2, 2)).Message;
        Assert.Equal($"{root}: this part has no pictures; a split needs at least two pictures of a class", message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageSplits(root, 0, 0).Load(2, 2, memoryBudget: -1));
    }

    [Fact]
    public void All_parts_are_read_and_have_the_normalisation_of_that_to_train_on()
    {
        Many("train/cats", 20);
        Many("train/dogs", 20);
        Many("test/cats", 5);
        Many("test/dogs", 5);
        Other("train/cats/notes.txt");
        Other("train/dogs/20.png", "");
        Other("test/labels.csv");
        ImageSplits splits = new(root, validation: 0.25);
        Reports reports = new();
        LoadedSplits photos = splits.Load(height: 3, width: 4, channels: 1, Fit.Letterbox, progress: reports);
        (float[] mean, float[] std) = splits.Train.Load(3, 4, channels: 1, Fit.Letterbox).Images.MeanAndStd();
        (LoadedImages<LabeledImages>?, ImageFolder?)[] parts =
            [(photos.Train, splits.Train), (photos.Validation, splits.Validation), (photos.Test, splits.Test)];
        foreach ((LoadedImages<LabeledImages>? part, ImageFolder? of) in parts)
        {
            Assert.Equal([mean, std], [part!.Images.Mean.ToArray(), part.Images.Std.ToArray()]);
            LabeledImages alone = of!.Load(3, 4, channels: 1, Fit.Letterbox).Images;
            Assert.Equal(alone.Pixels, part.Images.Pixels);
            Assert.Equal(alone.Labels, part.Images.Labels);
            Assert.Equal(Fit.Letterbox, part.Images.Fit);
        }
        Assert.Equal(Enumerable.Range(1, 51).Select(i => (i, 51)), reports.All);
        string none = "(expected JPEG, PNG, WebP, GIF or BMP, found a file that begins with 6E6F2070)";
        int read = photos.Train.Files.Count(name => name.StartsWith("dogs", StringComparison.Ordinal));
        string of21 = read == 15 ? "\nnot read, dogs: 1 of 16 files: dogs/20.png (empty)" : "";
        Assert.Equal(
            $"""
            train: {15 + read} images: cats 15, dogs {read}; in memory: all (0.0 MB)
            not read, cats: 1 of 16 files: cats/notes.txt {none}{of21}
            validation: {photos.Validation!.Files.Count} images: cats 5, dogs {photos.Validation.Files.Count - 5}; in memory: all (0.0 MB)
            test: 10 images: cats 5, dogs 5; in memory: all (0.0 MB)
            not read: 1 of 1 files: labels.csv {none}
            """, photos.ToString().Replace("\nnot read, dogs: 1 of 6 files: dogs/20.png (empty)", "", StringComparison.Ordinal));
        Assert.Contains("dogs/20.png (empty)", photos.ToString(), StringComparison.Ordinal);
    }
}
