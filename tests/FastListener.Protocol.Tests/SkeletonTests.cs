namespace FastListener.Skeleton;

public class SkeletonTests
{
    [Xunit.Fact]
    public void The_skeleton_builds() => Xunit.Assert.Equal(4, 2 + 2);
}
