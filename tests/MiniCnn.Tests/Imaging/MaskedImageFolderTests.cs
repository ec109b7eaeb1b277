using MiniCnn.Imaging;

namespace MiniCnn.Tests;

public sealed class MaskedImageFolderTests : PhotoFolderTests
{
    static readonly string[] classes = ["ground", "cat", "dog"];

    string Pictures => Path.Combine(Root, "pictures");

    string Masks => Path.Combine(Root, "masks");

    MaskedImageFolder Folder(params string[] names) => new(Pictures, Masks, names.Length > 0 ? names : classes);

    void Mask(string name, byte index, int width = 5, int height = 4)
    {
        Picture mask = new(width, height, channels: 1);
        mask.Pixels.AsSpan().Fill(index);
        Save($"masks/{name}", mask);
    }

    // A picture and a mask for each name; red is the picture's number, and index i % 3.
    void Pairs(params string[] names)
    {
        for (int i = 0; i < names.Length; i++)
        {
            Photo($"pictures/{names[i]}", red: (byte)i);
            Mask(Path.ChangeExtension(names[i], ".png"), (byte)(i % 3));
        }
    }

    [Fact]
    public void The_mask_of_a_picture_has_its_path_and_ends_in_png()
    {
        Pairs("b/2.JPG", "a/x.y.jpg", "a/deep/3.gif", "10.png", "2.webp", "é ü.bmp");
        Other("pictures/notes.txt");
        Other("pictures/.hidden.png");
        Other("pictures/.hidden/1.png");
        Other("masks/classes.txt");
        Other("masks/palette.jpg");
        Other("masks/._2.png");
        MaskedImageFolder folder = Folder();
        Assert.Equal(["10.png", "2.webp", "a/deep/3.gif", "a/x.y.jpg", "b/2.JPG", "é ü.bmp"], folder.Files);
        Assert.Equal((Pictures, Masks), (folder.Pictures, folder.Masks));
        Assert.Equal(classes, folder.ClassNames);
        Assert.Equal(6, folder.Load(1, 1, strict: true).Images.Count);
    }

    [Fact]
    public void What_has_no_partner_or_the_partner_of_another_is_counted_and_named()
    {
        Photos("pictures/a/1.jpg", "pictures/a/2.jpg", "pictures/a/3.jpg", "pictures/4.jpg", "pictures/5.jpg");
        Assert.StartsWith(Masks, Assert.Throws<DirectoryNotFoundException>(() => Folder()).Message, StringComparison.Ordinal);
        Other("masks/a/2.jpg");
        Refused($"{Pictures}: no .png mask of the same name in {Masks}: 5 of 5 files: 4.jpg, 5.jpg, a/1.jpg and 2 more");
        foreach (string name in (string[])["a/1.png", "a/2.png", "a/3.png", "4.png", "5.png"])
            Mask(name, 1);
        Assert.Equal(5, Folder().Files.Count);
        Mask("a/4.png", 1);
        Mask("1.png", 1);
        Refused($"{Masks}: no picture of the same name in {Pictures}: 2 of 7 files: 1.png, a/4.png");
        Photos("pictures/a/1.png");
        Refused($"{Pictures}: two pictures would have the same mask: 2 of 6 files: a/1.jpg, a/1.png");
        Directory.Delete(Pictures, recursive: true);
        Other("pictures/notes.txt");
        Refused($"{Pictures}: no pictures, only 1 of 1 files: notes.txt (expected JPEG, PNG, WebP, GIF or BMP, found a file that begins with 6E6F2070)");

        void Refused(string fault) => Assert.Equal(fault, Assert.Throws<InvalidDataException>(() => Folder()).Message);
    }

    [Fact]
    public void There_are_1_to_255_classes()
    {
        Pairs("1.jpg");
        Assert.Throws<ArgumentException>(() => new MaskedImageFolder(Pictures, Masks, []));
        Assert.Throws<ArgumentException>(() => Folder([.. Enumerable.Range(0, 256).Select(i => $"{i}")]));
        Mask("1.png", 254);
        Assert.Equal(254, Folder([.. Enumerable.Range(0, 255).Select(i => $"{i}")]).Load(1, 1).Images.Masks[0]);
    }

    // Columns ⌊(i + ½) · 7/4⌋ and rows ⌊(i + ½) · 5/3⌋ of the mask; the picture as elsewhere.
    [Fact]
    public void Load_keeps_pictures_smooth_and_masks_sharp()
    {
        Picture photo = new(7, 5), mask = new(7, 5, channels: 1);
        Random random = new(1);
        random.NextBytes(photo.Pixels);
        for (int i = 0; i < mask.Pixels.Length; i++)
            mask.Pixels[i] = (byte)(random.Next(4) is int index and < 3 ? index : 255);
        Save("pictures/1.png", photo);
        Save("masks/1.png", mask);
        MaskedImages images = Folder().Load(height: 3, width: 4).Images;
        byte[] small = photo.Resize(4, 3).Pixels;
        Assert.Equal(Enumerable.Range(0, 36).Select(i => small[i % 12 * 3 + i / 12]), images.Pixels.ToArray());
        byte[] expected = [.. from y in (int[])[0, 2, 4] from x in (int[])[0, 2, 4, 6] select mask.Pixels[y * 7 + x]];
        Assert.Equal<byte>([0, 1, 2, 255], expected.Distinct().Order());
        Assert.Equal(expected, images.Masks.ToArray());
        Assert.Equal(new ImageShape(3, 3, 4), images.Shape);
        Assert.Equal(classes, images.ClassNames);
        Assert.Equal([0, 0, 0], images.Mean);
        Assert.Equal([1, 1, 1], images.Std);
        Assert.Equal(photo.ToGrey().Resize(4, 3).Pixels, Folder().Load(3, 4, channels: 1).Images.Pixels.ToArray());
    }

    [Fact]
    public void What_cannot_be_used_is_skipped_and_told_and_the_rest_keep_their_masks()
    {
        Pairs("0.png", "1.png", "2.png", "3.png", "4.png", "5.png", "6.png", "7.png");
        Other("pictures/0.png", "");
        Mask("1.png", 1, width: 4, height: 5);
        Mask("3.png", 3);
        Save("masks/4.png", new(5, 4));
        Other("masks/6.png", "");
        LoadedImages<MaskedImages> loaded = Folder().Load(1, 1, strict: false);
        Assert.Equal(["2.png", "5.png", "7.png"], loaded.Files);
        Assert.Equal([2, 20, 30, 5, 20, 30, 7, 20, 30], loaded.Images.Pixels.ToArray());
        Assert.Equal([2, 2, 1], loaded.Images.Masks.ToArray());
        string colour = Assert.Throws<PictureFormatException>(() => Picture.LoadMask(File.OpenRead(At("masks/4.png")))).Message;
        Assert.Equal(
            [
                new("0.png", "empty"), new("1.png", "its mask: expected the size of the picture, 5×4, found 4×5"),
                new("3.png", "its mask: expected class indices 0 to 2 (ground, cat, dog) or 255 for no class, found 3 in row 0, column 0"),
                new("4.png", $"its mask: {colour}"), new("6.png", "its mask: empty"),
            ], loaded.Skipped);
        Assert.StartsWith("3 images; in memory: all (0.0 MB)\nnot read: 5 of 8 files: 0.png (empty), ", loaded.ToString(), StringComparison.Ordinal);
        string fault = Assert.Throws<InvalidDataException>(() => Folder().Load(1, 1)).Message;
        Assert.Equal($"{Pictures}: cannot read{loaded.ToString().Split("not read:")[1]}", fault);

        foreach (int i in (int[])[2, 5, 7])
            Other($"pictures/{i}.png", "");
        fault = Assert.Throws<InvalidDataException>(() => Folder().Load(1, 1, strict: false)).Message;
        Assert.StartsWith($"{Pictures}: no picture can be read with its mask; skipped 8 of 8 files: 0.png (empty), ", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_index_is_told_with_its_place()
    {
        Photo("pictures/1.png");
        Picture mask = new(5, 4, channels: 1);
        (mask.Pixels[13], mask.Pixels[14]) = (255, 7);
        Save("masks/1.png", mask);
        string fault = Assert.Throws<InvalidDataException>(() => Folder("a", "b", "c", "d", "e").Load(1, 1)).Message;
        const string Told = "its mask: expected class indices 0 to 4 (a, b, c and 2 more) or 255 for no class, found 7 in row 2, column 4";
        Assert.Contains(Told, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Split_takes_a_share_at_random_and_keeps_the_order()
    {
        Pairs([.. Enumerable.Range(0, 50).Select(i => $"{i}.png")]);
        MaskedImageFolder folder = Folder();
        (MaskedImageFolder train, MaskedImageFolder validation) = folder.Split(0.2, seed: 1);
        Assert.Equal((40, 10), (train.Files.Count, validation.Files.Count));
        Assert.Equal(folder.Files.Except(validation.Files), train.Files);
        Assert.Equal(folder.Files.Except(train.Files), validation.Files);
        Assert.Equal(Permutation.Random(50, 1)[40..].Order().Select(i => folder.Files[i]), validation.Files);
        Assert.Equal(classes, validation.ClassNames);
        Assert.Equal(10, validation.Load(1, 1, strict: true).Images.Count);
        Assert.Single(folder.Split(0.001, seed: 1).Validation.Files);
        Assert.Throws<ArgumentOutOfRangeException>(() => folder.Split(1, seed: 1));
    }

    [Fact]
    public void Reading_is_followed_and_ended_and_sizes_are_checked()
    {
        Pairs("1.png", "2.png", "3.png");
        Reports reports = new();
        Folder().Load(2, 2, progress: reports);
        Assert.Equal([(1, 3), (2, 3), (3, 3)], reports.All);
        Assert.ThrowsAny<OperationCanceledException>(() => Folder().Load(2, 2, cancellationToken: new(canceled: true)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Folder().Load(2, 2, channels: 2));
        string fault = Assert.Throws<ArgumentException>(() => Folder().Load(30_000, 30_000)).Message;
        Assert.StartsWith("an image of 3×30000×30000 does not fit into an array", fault, StringComparison.Ordinal);
        fault = Assert.Throws<ArgumentException>(() => Folder().Load(3, 2, memoryBudget: 17)).Message;
        Assert.StartsWith("3 masks of 3×2 take 18 bytes, more than the memory budget", fault, StringComparison.Ordinal);
    }
}
